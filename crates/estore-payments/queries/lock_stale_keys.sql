-- Running keys taken before a moment, oldest first. Partial index idempotency_keys_running.
SELECT resource_id FROM idempotency_keys
WHERE state = 'running' AND created_at < $1
  AND NOT EXISTS (SELECT FROM checkouts c WHERE c.id = resource_id)
  AND NOT EXISTS (SELECT FROM refunds r WHERE r.id = resource_id)
ORDER BY created_at
LIMIT $2
FOR UPDATE SKIP LOCKED
