-- Claims pending checkouts whose time has come, or that are older than this process where it is alone: never claimed,
-- or claimed before it started, by one that is dead now.
-- Partial index checkouts_pending.
WITH due AS (
    SELECT id FROM checkouts
    WHERE status = 'pending' AND (next_attempt_at <= now()
        OR ($1::boolean AND created_at < $2 AND waits_for IS NULL AND (attempts = 0
            OR next_attempt_at - make_interval(secs => least(2 ^ least(attempts - 1, 10), $4::double precision)) < $2)))
    ORDER BY next_attempt_at
    LIMIT $3
    FOR UPDATE SKIP LOCKED
)
UPDATE checkouts c
SET attempts = least(c.attempts + 1, 1000),
    next_attempt_at = now() + make_interval(secs => least(2 ^ least(c.attempts, 10), $4::double precision)),
    needs_attention_since = CASE WHEN c.attempts + 1 >= $5 THEN coalesce(c.needs_attention_since, now()) END
FROM due JOIN charges h ON h.checkout_id = due.id
WHERE c.id = due.id
RETURNING c.id, c.user_id, c.idempotency_key, c.operation, c.total_amount, c.currency, c.payment_method_id, c.metadata,
    c.created_at, c.attempts, c.waits_for, h.gateway
