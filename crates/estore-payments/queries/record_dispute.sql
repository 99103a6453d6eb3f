-- Records what the gateway says of a dispute of a captured charge, each state once: in the history of the checkout's
-- orders, and in the ledger where the money is lost. An end is not undone by news that come late.
-- Constraint disputes_once, index orders_one_per_product.
WITH told AS (
    INSERT INTO disputes (id, gateway, gateway_reference, checkout_id, user_id, amount, currency, reason, state,
        opened_at, closed_at)
    SELECT $1::uuid, h.gateway, $2::text, h.checkout_id, h.user_id, $4::bigint, h.currency, $5::text, $6::text,
        $7::timestamptz, CASE WHEN $6::text <> 'open' THEN $8::timestamptz END
    FROM charges h WHERE h.checkout_id = $3::uuid AND h.state = 'captured' AND h.currency = $9::text
    ON CONFLICT (gateway, gateway_reference) DO UPDATE
        SET state = excluded.state, closed_at = excluded.closed_at, amount = excluded.amount
        WHERE disputes.state = 'open' AND excluded.state <> 'open'
    RETURNING id, checkout_id, user_id, amount, currency, gateway_reference, reason, state
), standing AS MATERIALIZED (
    SELECT o.id, o.status FROM orders o
    WHERE o.checkout_id IN (SELECT checkout_id FROM told) ORDER BY o.id FOR NO KEY UPDATE
), booked AS (
    INSERT INTO ledger_transactions (id, kind, checkout_id, currency)
    SELECT id, 'dispute', checkout_id, currency FROM told WHERE state = 'lost'
), entered AS (
    INSERT INTO ledger_entries (transaction_id, line, account, user_id, amount)
    SELECT t.id, e.line, e.account, t.user_id, e.sign * t.amount
    FROM told t CROSS JOIN (VALUES
        (1::smallint, 'disputes', 1), (2::smallint, 'customer_receivable', -1),
        (3::smallint, 'customer_receivable', 1), (4::smallint, 'gateway_clearing', -1)) AS e (line, account, sign)
    WHERE t.state = 'lost'
)
INSERT INTO order_events (order_id, checkout_id, user_id, type, status, note, created_at)
SELECT s.id, t.checkout_id, t.user_id, CASE t.state WHEN 'open' THEN 'order.disputed' ELSE 'order.dispute_' || t.state END,
    s.status, format('%s: %s, %s cents of the checkout', t.gateway_reference, t.reason, t.amount), $8::timestamptz
FROM told t CROSS JOIN standing s ORDER BY s.id
