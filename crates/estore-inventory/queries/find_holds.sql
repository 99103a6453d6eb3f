-- The holds that exist already for a batch's checkouts, with their lines in product order. Primary keys.
SELECT h.checkout_id, h.state, l.product_id, l.quantity, l.unit_price
FROM holds h LEFT JOIN hold_lines l USING (checkout_id)
WHERE h.checkout_id = ANY($1::uuid[])
ORDER BY h.checkout_id, l.product_id
