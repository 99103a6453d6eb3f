-- One order, locked for a change. Primary key.
SELECT id, checkout_id, user_id::integer, product_id::integer, quantity, unit_price, total_amount, refunded_amount,
    currency, status, payment_method_id, created_at, updated_at, metadata, captured_amount
FROM orders WHERE id = $1 FOR UPDATE
