-- Ends open holds and gives their lines back to the stock, with the movements. What the column
-- cannot hold is written off, so that a release is never refused. Primary keys.
WITH released AS (
    UPDATE holds SET state = 'released', updated_at = now()
    FROM (
        SELECT checkout_id FROM holds
        WHERE checkout_id = ANY($1::uuid[]) AND state = 'held' ORDER BY checkout_id FOR UPDATE
    ) open
    WHERE holds.checkout_id = open.checkout_id
    RETURNING holds.checkout_id
), line AS (
    SELECT l.checkout_id, l.product_id, l.quantity FROM released JOIN hold_lines l USING (checkout_id)
), back AS (
    SELECT product_id, sum(quantity) AS units FROM line GROUP BY product_id
), returned AS (
    UPDATE products SET quantity = least(products.quantity + back.units, 2147483647)
    FROM back WHERE products.id = back.product_id
)
INSERT INTO stock_movements (product_id, delta, kind, checkout_id, reason)
SELECT product_id, quantity, 'release', checkout_id, NULL FROM line
UNION ALL
SELECT back.product_id, 2147483647 - (p.quantity + back.units), 'adjustment', NULL, 'more than a product can have'
FROM back JOIN products p ON p.id = back.product_id
WHERE p.quantity + back.units > 2147483647
