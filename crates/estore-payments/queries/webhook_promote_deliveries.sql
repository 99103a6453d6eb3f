-- Lets the first that waits of each subject go, where none of it is pending. Index webhook_deliveries_open.
UPDATE webhook_deliveries SET state = 'pending', next_attempt_at = now()
WHERE id IN (
    SELECT (SELECT d.id FROM webhook_deliveries d
            WHERE d.endpoint_id = a.endpoint_id AND d.subject = a.subject AND d.state IN ('waiting', 'pending')
            ORDER BY d.state, d.id LIMIT 1)
    FROM unnest($1::uuid[], $2::text[]) AS a (endpoint_id, subject))
  AND state = 'waiting'
