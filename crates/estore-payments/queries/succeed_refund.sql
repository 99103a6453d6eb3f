-- A locked refund has been paid out: ledger, order state, event and the news of it. Primary keys.
WITH paid_out AS (
    UPDATE refunds SET state = 'succeeded', gateway_reference = $2, next_attempt_at = NULL,
        needs_attention_since = NULL, updated_at = $3
    WHERE id = $1
    RETURNING id, order_id, checkout_id, user_id, amount, currency, reason, requested_by
), changed AS (
    UPDATE orders o
    SET updated_at = $3, status = CASE
        WHEN o.status = 'cancelled' THEN o.status
        WHEN $4::bigint + p.amount = o.captured_amount THEN 'refunded'
        ELSE 'partially_refunded' END
    FROM paid_out p WHERE o.id = p.order_id
    RETURNING o.id, o.status
), booked AS (
    INSERT INTO ledger_transactions (id, kind, checkout_id, currency)
    SELECT id, 'refund', checkout_id, currency FROM paid_out
), entered AS (
    INSERT INTO ledger_entries (transaction_id, line, account, user_id, amount)
    SELECT p.id, e.line, e.account, p.user_id, e.sign * p.amount
    FROM paid_out p CROSS JOIN (VALUES
        (1::smallint, 'refunds', 1), (2::smallint, 'customer_receivable', -1),
        (3::smallint, 'customer_receivable', 1), (4::smallint, 'gateway_clearing', -1)) AS e (line, account, sign)
), noted AS (
    INSERT INTO order_events (order_id, checkout_id, user_id, type, status, actor_id, amount, note, created_at)
    SELECT p.order_id, p.checkout_id, p.user_id, 'order.refunded', c.status, p.requested_by, p.amount, p.reason, $3
    FROM paid_out p JOIN changed c ON c.id = p.order_id
    RETURNING id, order_id, checkout_id, type
)
INSERT INTO outbox (topic, checkout_id, order_id, event_id) SELECT type, checkout_id, order_id, id FROM noted
