-- A key that is good, with what its maker is now; that it is used is noted once a minute. Unique index
-- api_keys_hash_once, primary keys.
WITH found AS (
    SELECT api_keys.id, user_id, scopes, last_used_at, is_admin,
        least(extract(epoch FROM expires_at - now()), 3600)::bigint AS seconds_left
    FROM api_keys JOIN users ON users.id = user_id
    WHERE key_hash = $1 AND revoked_at IS NULL AND expires_at > now() AND is_active
), noted AS (
    UPDATE api_keys SET last_used_at = now()
    WHERE id IN (SELECT id FROM found WHERE last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
)
SELECT id, user_id, scopes, is_admin, seconds_left,
    ARRAY(SELECT role::text FROM user_roles WHERE user_roles.user_id = found.user_id) AS roles
FROM found
