-- A page of a product's movements, the newest first. Primary key backwards.
SELECT id, product_id, delta, kind, reason, checkout_id, order_id, actor_user_id, created_at FROM stock_movements
WHERE product_id = $1 AND ($2::int8 IS NULL OR id < $2)
ORDER BY id DESC
LIMIT $3::int8
