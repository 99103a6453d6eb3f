-- Lets those go that wait for nobody; there should be none. Index webhook_deliveries_open.
UPDATE webhook_deliveries d SET state = 'pending', next_attempt_at = now()
WHERE d.state = 'waiting' AND d.created_at < now() - interval '1 minute' AND NOT EXISTS (
    SELECT FROM webhook_deliveries e
    WHERE e.endpoint_id = d.endpoint_id AND e.subject = d.subject
      AND (e.state = 'pending' OR (e.state = 'waiting' AND e.id < d.id)))
