-- Writes down how attempts ended: delivered, dead, or to be tried again after some milliseconds. An attempt that another
-- has overtaken counts only if it delivered. In key order, as others lock. Primary key.
WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)), locked AS MATERIALIZED (
    SELECT id FROM webhook_deliveries WHERE id = ANY ($1::bigint[]) ORDER BY id FOR UPDATE
)
UPDATE webhook_deliveries d
SET state = a.state, last_status = a.status, last_error = a.error,
    next_attempt_at = CASE a.state WHEN 'pending' THEN now() + a.wait_ms * interval '1 millisecond' END,
    ended_at = CASE WHEN a.state <> 'pending' THEN now() END
FROM quick, locked, unnest($1::bigint[], $2::smallint[], $3::text[], $4::smallint[], $5::text[], $6::bigint[])
    AS a (id, attempts, state, status, error, wait_ms)
WHERE locked.id = a.id AND d.id = a.id AND d.state = 'pending' AND (a.state = 'delivered' OR d.attempts = a.attempts)
RETURNING d.endpoint_id, d.subject, d.state
