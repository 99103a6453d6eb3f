-- One order's idempotency key, checkout and order.
\set product random(:first_product, :last_product)
\set buyer random(:first_buyer, :last_buyer)
\set key random(1, 9000000000000000000)
BEGIN;
INSERT INTO idempotency_keys (user_id, key, request_hash, resource_id) VALUES (:buyer, :key, decode(repeat('ab', 32), 'hex'), gen_random_uuid()) RETURNING resource_id AS checkout \gset
INSERT INTO checkouts (id, user_id, idempotency_key, operation, total_amount, currency, payment_method_id, next_attempt_at) VALUES (:checkout, :buyer, :key, 'order', 100, 'USD', :method, now() + interval '15 s');
INSERT INTO orders (checkout_id, user_id, product_id, quantity, unit_price, total_amount, currency, payment_method_id) VALUES (:checkout, :buyer, :product, 1, 100, 100, 'USD', :method);
COMMIT;
