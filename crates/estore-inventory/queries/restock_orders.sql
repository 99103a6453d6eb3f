-- Puts the units of cancelled orders back, each order once; a released hold has given them back already.
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
)
UPDATE products SET quantity = products.quantity + back.units
FROM (SELECT product_id, sum(delta)::int4 AS units FROM movement GROUP BY product_id) back
WHERE products.id = back.product_id
