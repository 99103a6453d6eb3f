-- Every hold's lines and its age in seconds, in checkout and product order. Primary keys.
SELECT h.checkout_id AS id, h.state AS status, extract(epoch FROM now() - h.created_at)::bigint AS age,
       l.product_id, l.quantity
FROM holds h LEFT JOIN hold_lines l ON l.checkout_id = h.checkout_id
ORDER BY h.checkout_id, l.product_id
