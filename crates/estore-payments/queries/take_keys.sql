-- Takes idempotency keys for new requests, in key order; those taken before are not answered. Primary key.
-- The commit does not wait for the disk: whatever needs the key later finds it gone and gives up.
WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO idempotency_keys (user_id, key, request_hash, resource_id)
SELECT a.user_id, a.key, a.request_hash, a.resource_id
FROM quick, unnest($1::integer[], $2::text[], $3::bytea[], $4::uuid[]) AS a (user_id, key, request_hash, resource_id)
ORDER BY a.user_id, a.key
ON CONFLICT (user_id, key) DO NOTHING
RETURNING resource_id
