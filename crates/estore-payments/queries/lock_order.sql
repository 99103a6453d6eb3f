-- One order, locked for a change, and who charged for it. Primary keys.
SELECT id, checkout_id, user_id::integer, product_id::integer, quantity, unit_price, total_amount, refunded_amount,
    currency, status, payment_method_id, created_at, updated_at, metadata, captured_amount,
    (SELECT h.gateway FROM charges h WHERE h.checkout_id = orders.checkout_id) AS gateway
FROM orders WHERE id = $1 FOR UPDATE
