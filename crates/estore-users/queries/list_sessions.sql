-- The sessions of an account, for its export; index sessions_user.
SELECT id, user_agent, created_at, last_used_at, expires_at, ended_at
FROM sessions
WHERE user_id = $1
ORDER BY created_at DESC
LIMIT $2
