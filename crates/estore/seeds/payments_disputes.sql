-- A charge that a bank took back, and a card that the gateway is still to forget.
INSERT INTO disputes (id, gateway, gateway_reference, checkout_id, user_id, amount, currency, reason, state, opened_at, closed_at)
SELECT gen_random_uuid(), 'stripe', 'dp_1', id, user_id, 350, currency, 'fraudulent', 'lost', now(), now()
FROM checkouts WHERE status = 'paid' ORDER BY user_id LIMIT 1;
INSERT INTO ledger_transactions (id, kind, checkout_id, currency) SELECT id, 'dispute', checkout_id, currency FROM disputes;
INSERT INTO ledger_entries (transaction_id, line, account, user_id, amount)
SELECT d.id, e.line, e.account, d.user_id, e.sign * d.amount
FROM disputes d CROSS JOIN (VALUES (1::smallint, 'disputes', 1), (2::smallint, 'gateway_clearing', -1)) AS e (line, account, sign);
INSERT INTO order_events (order_id, checkout_id, user_id, type, status)
SELECT o.id, d.checkout_id, d.user_id, 'order.dispute_lost', o.status FROM disputes d JOIN orders o USING (checkout_id);
INSERT INTO unwanted_cards (gateway, gateway_token, user_id) VALUES ('stripe', 'pm_1', 1);
