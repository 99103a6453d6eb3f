-- Locks the keys that are still these requests' own and running; the writer of a checkout holds them to its commit.
-- Index on resource_id. The state is compared as an expression, or else idempotency_keys_running is read, all of it:
-- every key was running once, and its entries of that time stay until the next vacuum.
SELECT k.resource_id
FROM unnest($1::integer[], $2::text[], $3::uuid[]) AS a (user_id, key, resource_id)
JOIN idempotency_keys k ON k.user_id = a.user_id AND k.key = a.key
WHERE k.resource_id = a.resource_id AND k.state || '' = 'running'
ORDER BY k.user_id, k.key
FOR UPDATE OF k
