-- Locks the products of open holds in id order, before the holds themselves. Primary keys.
SELECT id FROM products
WHERE id = ANY (ARRAY(
    SELECT l.product_id FROM holds h JOIN hold_lines l USING (checkout_id)
    WHERE h.checkout_id = ANY($1::uuid[]) AND h.state = 'held'))
ORDER BY id
FOR NO KEY UPDATE
