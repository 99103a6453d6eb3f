-- A page of the API keys, newest first; primary key.
SELECT id, user_id, name, hint, scopes, created_at, expires_at, last_used_at, revoked_at
FROM api_keys
WHERE id < $1
ORDER BY id DESC
LIMIT $2
