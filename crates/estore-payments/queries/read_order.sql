-- One order. Primary key.
SELECT id, checkout_id, user_id::integer, product_id::integer, quantity, unit_price, total_amount, refunded_amount,
    currency, status, payment_method_id, created_at, updated_at, metadata
FROM orders WHERE id = $1
