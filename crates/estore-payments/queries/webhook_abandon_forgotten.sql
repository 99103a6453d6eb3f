-- Ends what was written in the very moment that its endpoint was deleted or paused, and that nobody will deliver.
-- Index webhook_deliveries_open.
UPDATE webhook_deliveries d
SET state = 'dead', next_attempt_at = NULL, ended_at = now(), last_error = 'the endpoint was deleted or paused'
WHERE d.id IN (
    SELECT d.id FROM webhook_endpoints p JOIN webhook_deliveries d ON d.endpoint_id = p.id
    WHERE NOT p.is_active AND d.state IN ('waiting', 'pending')
    ORDER BY d.id LIMIT $1 FOR UPDATE OF d SKIP LOCKED)
