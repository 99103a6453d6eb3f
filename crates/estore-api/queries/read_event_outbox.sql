-- The oldest events that a service has not told of. Primary key.
SELECT id, event_id, type, subject, data, created_at FROM event_outbox ORDER BY id LIMIT $1
