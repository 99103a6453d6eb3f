-- $orders checkouts of one order each with all that belongs to them: of a hundred, number 0 was declined, number 1
-- cancelled and refunded, number 2 refunded by half, number 3 delivered; the others are paid.
INSERT INTO payment_methods (id, user_id, payment_type, details, gateway, gateway_token, fingerprint)
SELECT 1000000 + n, n, 'card', '{"brand": "visa", "last4": "4242", "expiry_month": 12, "expiry_year": 2040}', 'sandbox',
    'filled', 'filled'
FROM generate_series(1, $users) n;
CREATE TEMPORARY TABLE filled AS
SELECT n, ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS id,
    ('01900000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid AS refund, 1 + n % $users AS user_id,
    1 + n % $products AS product_id, 1 + n % 3 AS quantity, 100 + n % $products AS unit_price,
    (1 + n % 3) * (100 + n % $products) AS amount, n % 100 AS class,
    CASE n % 100 WHEN 1 THEN (1 + n % 3) * (100 + n % $products) WHEN 2 THEN 50 ELSE 0 END AS refunded,
    (ARRAY['failed', 'cancelled', 'partially_refunded', 'delivered', 'paid'])[least(n % 100, 4) + 1] AS state,
    now() - make_interval(secs => n % 80000) AS at
FROM generate_series(1, $orders) n;
INSERT INTO checkouts (id, user_id, idempotency_key, operation, status, total_amount, currency, payment_method_id,
    failure, created_at, updated_at)
SELECT id, user_id, 'filled-' || n, 'order', CASE class WHEN 0 THEN 'failed' ELSE 'paid' END, amount, 'USD',
    1000000 + user_id, CASE class WHEN 0 THEN 'card_declined' END, at, at
FROM filled;
INSERT INTO idempotency_keys (user_id, key, request_hash, resource_id, state, answer_status, answer_body, created_at,
    finished_at)
SELECT user_id, 'filled-' || n, sha256(n::text::bytea), id, 'finished', CASE class WHEN 0 THEN 402 ELSE 201 END,
    convert_to(repeat('an answer of some length; ', 12), 'UTF8'), at, at
FROM filled;
INSERT INTO charges (checkout_id, user_id, amount, currency, gateway, gateway_token, state, gateway_reference,
    created_at, settled_at)
SELECT id, user_id, amount, 'USD', 'sandbox', 'filled', CASE class WHEN 0 THEN 'declined' ELSE 'captured' END,
    CASE WHEN class > 0 THEN 'sale_' || n END, at, at
FROM filled;
INSERT INTO sandbox_sales (key, state, amount, refunded_amount, created_at)
SELECT id, CASE class WHEN 0 THEN 'card_declined' ELSE 'captured' END, amount, refunded, at FROM filled;
INSERT INTO orders (id, checkout_id, user_id, product_id, quantity, unit_price, total_amount, currency,
    payment_method_id, status, captured_amount, refunded_amount, created_at, updated_at)
SELECT n, id, user_id, product_id, quantity, unit_price, amount, 'USD', 1000000 + user_id, state,
    CASE WHEN class > 0 THEN amount ELSE 0 END, refunded, at, at
FROM filled;
SELECT setval('orders_id_seq', $orders), setval('payment_methods_id_seq', 1000000 + $users);
INSERT INTO refunds (id, order_id, checkout_id, user_id, kind, amount, currency, reason, requested_by, state,
    gateway_reference, created_at, updated_at)
SELECT refund, n, id, user_id, CASE class WHEN 1 THEN 'cancel' ELSE 'refund' END, refunded, 'USD', 'filled', user_id,
    'succeeded', 'refund_' || n, at, at
FROM filled WHERE refunded > 0;
INSERT INTO sandbox_refunds (key, sale_key, amount, created_at)
SELECT refund, id, refunded, at FROM filled WHERE refunded > 0;
INSERT INTO order_events (order_id, checkout_id, user_id, type, status, amount, created_at)
SELECT n, id, user_id, 'order.' || e.type, coalesce(e.status, state), CASE e.type WHEN 'paid' THEN amount WHEN
    'refunded' THEN refunded END, at
FROM filled JOIN (VALUES (1, 'created', 'pending', NULL), (2, 'failed', 'failed', 0), (3, 'paid', 'paid', NULL),
    (4, 'cancelled', 'cancelled', 1), (5, 'refunded', NULL, 1), (6, 'refunded', NULL, 2),
    (7, 'processing', 'processing', 3), (8, 'shipped', 'shipped', 3), (9, 'delivered', 'delivered', 3))
    e (step, type, status, of) ON (e.of IS NULL OR e.of = class) AND (e.type <> 'paid' OR class > 0)
ORDER BY n, e.step;
INSERT INTO ledger_transactions (id, kind, checkout_id, currency, created_at)
SELECT id, 'capture', id, 'USD', at FROM filled WHERE class > 0
UNION ALL
SELECT refund, 'refund', id, 'USD', at FROM filled WHERE refunded > 0;
INSERT INTO ledger_entries (transaction_id, line, account, user_id, amount)
SELECT id, e.line, e.account, user_id, e.sign * amount
FROM filled CROSS JOIN (VALUES (1, 'customer_receivable', 1), (2, 'revenue', -1), (3, 'gateway_clearing', 1),
    (4, 'customer_receivable', -1)) e (line, account, sign)
WHERE class > 0;
INSERT INTO ledger_entries (transaction_id, line, account, user_id, amount)
SELECT refund, e.line, e.account, user_id, e.sign * refunded
FROM filled CROSS JOIN (VALUES (1, 'refunds', 1), (2, 'customer_receivable', -1), (3, 'customer_receivable', 1),
    (4, 'gateway_clearing', -1)) e (line, account, sign)
WHERE refunded > 0;
DROP TABLE filled;
VACUUM ANALYZE;
