-- Locks the keys that are still these requests' own and running; the writer of a checkout holds them to its commit.
-- Primary key.
SELECT k.resource_id
FROM unnest($1::integer[], $2::text[], $3::uuid[]) AS a (user_id, key, resource_id)
JOIN idempotency_keys k ON k.user_id = a.user_id AND k.key = a.key
WHERE k.resource_id = a.resource_id AND k.state = 'running'
ORDER BY k.user_id, k.key
FOR UPDATE OF k
