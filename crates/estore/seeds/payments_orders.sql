-- Cards, and orders in every state with their charges and a refund.
INSERT INTO payment_methods (user_id, payment_type, details, is_active, gateway, gateway_token, fingerprint)
SELECT n::text, 'card', jsonb_build_object('brand', 'visa', 'last4', '4242', 'expiry_month', 12, 'expiry_year', 2035),
       n % 5 <> 0, 'sandbox', format('tok_%s', n), format('fp_%s', n)
FROM generate_series(1, 20) AS n;
INSERT INTO checkouts (id, user_id, idempotency_key, operation, status, total_amount, currency, payment_method_id, failure, next_attempt_at)
SELECT gen_random_uuid(), m.id, format('key-%s', m.id), 'checkout', s.status, 700, 'USD', m.id,
       CASE s.status WHEN 'failed' THEN 'card_declined' END, CASE s.status WHEN 'pending' THEN now() END
FROM payment_methods m, LATERAL (SELECT (ARRAY['pending', 'paid', 'failed'])[1 + m.id % 3] AS status) s;
INSERT INTO orders (user_id, product_id, quantity, unit_price, total_amount, currency, status, captured_amount, payment_method_id, checkout_id, metadata)
SELECT c.user_id::text, p::text, 2, 175, 350, 'USD', c.status, CASE c.status WHEN 'paid' THEN 350 ELSE 0 END, c.payment_method_id, c.id,
       jsonb_build_object('gift', p = 1)
FROM checkouts c, generate_series(1, 2) AS p;
INSERT INTO charges (checkout_id, user_id, amount, currency, gateway, gateway_token, state, gateway_reference, settled_at)
SELECT id, user_id, total_amount, currency, 'sandbox', 'tok',
       CASE status WHEN 'pending' THEN 'intended' WHEN 'paid' THEN 'captured' ELSE 'declined' END,
       CASE status WHEN 'paid' THEN 'ref-' || id END, CASE WHEN status <> 'pending' THEN now() END
FROM checkouts;
UPDATE orders SET status = 'partially_refunded', refunded_amount = 50 WHERE id = (SELECT min(id) FROM orders WHERE status = 'paid');
INSERT INTO refunds (id, order_id, checkout_id, user_id, kind, amount, currency, reason, requested_by, state, gateway_reference)
SELECT gen_random_uuid(), id, checkout_id, user_id::int, 'refund', 50, 'USD', 'scratched', 1, 'succeeded', 'r-1'
FROM orders WHERE status = 'partially_refunded';
INSERT INTO idempotency_keys (user_id, key, request_hash, resource_id)
SELECT user_id, idempotency_key, sha256(id::text::bytea), id FROM checkouts WHERE status = 'pending';
