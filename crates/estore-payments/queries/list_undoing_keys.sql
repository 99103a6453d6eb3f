-- What is being undone, oldest first. Partial index idempotency_keys_undoing.
SELECT resource_id FROM idempotency_keys WHERE state = 'undoing' ORDER BY created_at LIMIT $1
