-- Running keys of these checkouts or refunds that nobody is writing under right now. Index on resource_id.
SELECT resource_id FROM idempotency_keys
WHERE resource_id = ANY ($1::uuid[]) AND state = 'running'
ORDER BY user_id, key
FOR UPDATE SKIP LOCKED
