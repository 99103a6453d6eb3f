-- The ledger of what was captured, and the orders' history.
INSERT INTO ledger_transactions (id, kind, checkout_id, currency)
SELECT id, 'capture', id, currency FROM checkouts WHERE status = 'paid';
INSERT INTO ledger_entries (transaction_id, line, account, user_id, amount)
SELECT c.id, e.line, e.account, c.user_id, e.sign * c.total_amount
FROM checkouts c CROSS JOIN (VALUES (1::smallint, 'gateway_clearing', 1), (2::smallint, 'revenue', -1)) AS e (line, account, sign)
WHERE c.status = 'paid';
INSERT INTO order_events (order_id, checkout_id, user_id, type, status)
SELECT id, checkout_id, user_id::int, 'order.created', 'pending' FROM orders;
INSERT INTO outbox (topic, checkout_id) SELECT 'checkout.paid', id FROM checkouts WHERE status = 'paid' LIMIT 3;
