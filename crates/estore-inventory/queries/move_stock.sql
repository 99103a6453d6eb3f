-- Changes a product's stock by a difference or to a number, with the movement that says so. More than $6
-- units are not put there; what came back of sales may stand above it. Primary key.
WITH product AS (
    SELECT id, quantity AS before FROM products WHERE id = $1 FOR NO KEY UPDATE
), wanted AS (
    SELECT id, before, coalesce($3::int4, before::int8 + $2::int4) AS after FROM product
), moved AS (
    UPDATE products SET quantity = wanted.after::int4
    FROM wanted
    WHERE products.id = wanted.id AND wanted.after BETWEEN 0 AND greatest($6::int4, wanted.before) AND wanted.after <> wanted.before
    RETURNING products.id, products.name, products.min_stock_level, products.is_active, wanted.before, wanted.after
), low AS (
    INSERT INTO event_outbox (type, subject, data)
    SELECT 'product.low_stock', 'product/' || id, jsonb_build_object('id', id, 'name', name, 'quantity', after,
        'min_stock_level', min_stock_level)
    FROM moved WHERE is_active AND after <= min_stock_level AND before > min_stock_level
), movement AS (
    INSERT INTO stock_movements (product_id, delta, kind, reason, actor_user_id)
    SELECT wanted.id, (wanted.after - wanted.before)::int4, 'adjustment', $4, $5::int4
    FROM wanted JOIN moved ON moved.id = wanted.id
    RETURNING id, product_id, delta, kind, reason, checkout_id, order_id, actor_user_id, created_at
)
SELECT wanted.before, wanted.after, m.id, wanted.id AS product_id, m.delta, m.kind, m.reason, m.checkout_id, m.order_id,
    m.actor_user_id, m.created_at
FROM wanted LEFT JOIN movement m ON true
