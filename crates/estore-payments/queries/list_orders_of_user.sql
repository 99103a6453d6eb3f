-- A page of one customer's orders, newest first. Index orders_recent_of_user.
SELECT id, checkout_id, user_id::integer, product_id::integer, quantity, unit_price, total_amount, refunded_amount,
    currency, status, payment_method_id, created_at, updated_at, metadata
FROM orders
WHERE user_id = $1::text AND id < $2 AND ($3::text IS NULL OR status = $3)
ORDER BY id DESC LIMIT $4
