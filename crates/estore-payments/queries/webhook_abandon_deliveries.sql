-- Ends a batch of what is still on its way to endpoints that are not delivered to; the rest goes with what is forgotten
-- (webhook_abandon_forgotten). In key order, as others lock.
-- Index webhook_deliveries_open.
UPDATE webhook_deliveries d
SET state = 'dead', next_attempt_at = NULL, ended_at = now(), last_error = $2
WHERE d.id IN (
    SELECT id FROM webhook_deliveries
    WHERE endpoint_id = ANY ($1::uuid[]) AND state IN ('waiting', 'pending')
    ORDER BY id LIMIT $3 FOR UPDATE)
