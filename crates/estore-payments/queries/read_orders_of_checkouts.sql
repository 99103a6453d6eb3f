-- The orders of some checkouts, in the order they were written. Index orders_one_per_product.
SELECT id, checkout_id, user_id::integer, product_id::integer, quantity, unit_price, total_amount, refunded_amount,
    currency, status, payment_method_id, created_at, updated_at, metadata
FROM orders WHERE checkout_id = ANY ($1::uuid[]) ORDER BY id
