-- Puts the units of cancelled orders back, each order once; a released hold has given them back already.
-- What the column cannot hold is written off, so that a cancel is never refused.
-- Primary keys, idx_stock_movements_restock.
WITH line AS (
    SELECT DISTINCT ON (order_id) order_id, checkout_id, product_id, quantity
    FROM unnest($1::int4[], $2::uuid[], $3::int4[], $4::int4[]) AS l (order_id, checkout_id, product_id, quantity)
    ORDER BY order_id
), movement AS (
    INSERT INTO stock_movements (product_id, delta, kind, checkout_id, order_id)
    SELECT line.product_id, line.quantity, 'restock', line.checkout_id, line.order_id
    FROM line JOIN products ON products.id = line.product_id LEFT JOIN holds h ON h.checkout_id = line.checkout_id
    WHERE line.quantity > 0 AND h.state IS DISTINCT FROM 'released'
    ORDER BY line.order_id
    ON CONFLICT (order_id) WHERE kind = 'restock' DO NOTHING
    RETURNING product_id, delta
), back AS (
    SELECT product_id, sum(delta) AS units FROM movement GROUP BY product_id
), written_off AS (
    INSERT INTO stock_movements (product_id, delta, kind, reason)
    SELECT back.product_id, 2147483647 - (p.quantity + back.units), 'adjustment', 'more than a product can have'
    FROM back JOIN products p ON p.id = back.product_id
    WHERE p.quantity + back.units > 2147483647
)
UPDATE products SET quantity = least(products.quantity + back.units, 2147483647)
FROM back
WHERE products.id = back.product_id
