-- One order's status, event and two ledger rows. Each client takes every :clients-th of the orders that order.sql made.
\set order :first_order + :client_id + :n * :clients
\set n :n + 1
BEGIN;
UPDATE orders SET status = 'paid', captured_amount = total_amount, updated_at = now() WHERE id = :order AND status = 'pending' RETURNING checkout_id AS checkout, user_id AS buyer, total_amount AS amount \gset
INSERT INTO order_events (order_id, checkout_id, user_id, type, status, amount) VALUES (:order, :checkout, :buyer, 'order.paid', 'paid', :amount);
WITH booked AS (INSERT INTO ledger_transactions (id, kind, checkout_id, currency) VALUES (:checkout, 'capture', :checkout, 'USD') RETURNING id) INSERT INTO ledger_entries (transaction_id, line, account, user_id, amount) SELECT id, e.line, e.account, :buyer::integer, e.sign * :amount::bigint FROM booked, (VALUES (1::smallint, 'gateway_clearing', 1), (2::smallint, 'revenue', -1)) AS e (line, account, sign);
COMMIT;
