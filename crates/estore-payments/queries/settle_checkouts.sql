-- Settles those of the checkouts that are still pending, which it locks in id order: their charges, orders with events,
-- ledger, answers and what to tell. A key without an answer is taken until InventoryService has been told
-- (publish_outbox). Primary keys, orders_one_per_product; states as expressions, or else indexes on states are read, with
-- what every row has left in them since the last vacuum.
WITH asked AS MATERIALIZED (
    SELECT a.*
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::smallint[], $7::bytea[],
                $8::timestamptz[], $9::text[], $10::integer[], $11::text[])
        AS a (id, status, failure, charge_state, gateway_reference, answer_status, answer_body, settled_at,
              order_status, actor_id, note)
    JOIN checkouts c ON c.id = a.id
    WHERE c.status || '' = 'pending'
    ORDER BY c.id
    FOR UPDATE OF c
), settled AS (
    UPDATE checkouts c
    SET status = a.status, failure = a.failure, next_attempt_at = NULL, needs_attention_since = NULL,
        waits_for = NULL, updated_at = a.settled_at
    FROM asked a WHERE c.id = a.id
    RETURNING c.id, c.user_id, c.idempotency_key, c.status, c.total_amount, c.currency
), charged AS (
    UPDATE charges h
    SET state = a.charge_state, gateway_reference = a.gateway_reference, settled_at = a.settled_at
    FROM asked a WHERE h.checkout_id = a.id
), ordered AS (
    UPDATE orders o
    SET status = a.order_status, updated_at = a.settled_at,
        captured_amount = CASE a.order_status WHEN 'paid' THEN o.total_amount ELSE 0 END
    FROM asked a
    WHERE o.checkout_id = a.id AND o.status || '' = 'pending'
    RETURNING o.id, o.checkout_id, o.user_id, o.status, o.captured_amount, o.updated_at, a.actor_id, a.note
), evented AS (
    INSERT INTO order_events (order_id, checkout_id, user_id, type, status, actor_id, amount, note, created_at)
    SELECT id, checkout_id, user_id::integer, 'order.' || status, status, actor_id, nullif(captured_amount, 0), note,
        updated_at
    FROM ordered ORDER BY id
), booked AS (
    INSERT INTO ledger_transactions (id, kind, checkout_id, currency)
    SELECT id, 'capture', id, currency FROM settled WHERE status = 'paid' AND total_amount > 0
), entered AS (
    INSERT INTO ledger_entries (transaction_id, line, account, user_id, amount)
    SELECT s.id, e.line, e.account, s.user_id, e.sign * s.total_amount
    FROM settled s CROSS JOIN (VALUES
        (1::smallint, 'customer_receivable', 1), (2::smallint, 'revenue', -1),
        (3::smallint, 'gateway_clearing', 1), (4::smallint, 'customer_receivable', -1)) AS e (line, account, sign)
    WHERE s.status = 'paid' AND s.total_amount > 0
), told AS (
    INSERT INTO outbox (topic, checkout_id)
    SELECT 'checkout.' || status, id FROM settled
), answered AS (
    UPDATE idempotency_keys k
    SET state = CASE WHEN a.answer_status IS NULL THEN 'undoing' ELSE 'finished' END,
        answer_status = a.answer_status, answer_body = a.answer_body,
        finished_at = CASE WHEN a.answer_status IS NOT NULL THEN now() END
    FROM asked a JOIN settled s ON s.id = a.id
    WHERE k.user_id = s.user_id AND k.key = s.idempotency_key AND k.resource_id = a.id AND k.state || '' = 'running'
)
SELECT id FROM settled
