-- A logout; primary key.
UPDATE sessions
SET ended_at = now(), end_reason = 'logout'
WHERE id = $1 AND user_id = $2 AND ended_at IS NULL
