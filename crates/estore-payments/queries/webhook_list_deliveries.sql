-- A page of an endpoint's deliveries, newest first. Index webhook_deliveries_of_endpoint.
SELECT id, endpoint_id, event_id, type, subject, state, attempts, next_attempt_at, last_attempt_at, last_status,
    last_error, created_at, ended_at, payload
FROM webhook_deliveries
WHERE endpoint_id = $1 AND id < $2 AND ($3::text IS NULL OR state = $3)
ORDER BY id DESC LIMIT $4
