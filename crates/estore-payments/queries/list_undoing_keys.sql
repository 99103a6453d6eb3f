-- What is being undone and was never written, oldest first; what was written is the relay's (publish_outbox). Partial
-- index idempotency_keys_undoing, primary key.
SELECT resource_id FROM idempotency_keys
WHERE state = 'undoing' AND NOT EXISTS (SELECT FROM checkouts c WHERE c.id = resource_id)
ORDER BY created_at LIMIT $1
