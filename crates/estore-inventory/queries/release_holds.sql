-- Ends open holds and gives their lines back to the stock, with the movements. Primary keys.
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
), returned AS (
    UPDATE products SET quantity = products.quantity + back.units
    FROM (SELECT product_id, sum(quantity)::int4 AS units FROM line GROUP BY product_id) back
    WHERE products.id = back.product_id
)
INSERT INTO stock_movements (product_id, delta, kind, checkout_id)
SELECT product_id, quantity, 'release', checkout_id FROM line
