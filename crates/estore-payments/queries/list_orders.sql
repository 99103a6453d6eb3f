-- A page of all orders, newest first. Primary key.
SELECT id, checkout_id, user_id::integer, product_id::integer, quantity, unit_price, total_amount, refunded_amount,
    currency, status, payment_method_id, created_at, updated_at, metadata
FROM orders
WHERE id < $1 AND ($2::text IS NULL OR status = $2)
ORDER BY id DESC LIMIT $3
