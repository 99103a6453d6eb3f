-- Claims pending refunds whose time has come, or that are older than this process where it is alone: never claimed,
-- or claimed before it started, by one that is dead now.
-- Partial index refunds_pending, primary keys.
WITH due AS (
    SELECT id FROM refunds
    WHERE state = 'pending' AND (next_attempt_at <= now()
        OR ($1::boolean AND created_at < $2 AND (attempts = 0
            OR next_attempt_at - make_interval(secs => least(2 ^ least(attempts - 1, 10), $4::double precision)) < $2)))
    ORDER BY next_attempt_at
    LIMIT $3
    FOR UPDATE SKIP LOCKED
)
UPDATE refunds r
SET attempts = least(r.attempts + 1, 1000),
    next_attempt_at = now() + make_interval(secs => least(2 ^ least(r.attempts, 10), $4::double precision)),
    needs_attention_since = CASE WHEN r.attempts + 1 >= $5 THEN coalesce(r.needs_attention_since, now()) END
FROM due, charges h WHERE r.id = due.id AND h.checkout_id = r.checkout_id
RETURNING r.id, r.order_id, r.checkout_id, r.amount, r.currency, r.user_id, r.kind, r.reason, r.requested_by,
    r.idempotency_key, r.state, r.created_at, h.gateway
