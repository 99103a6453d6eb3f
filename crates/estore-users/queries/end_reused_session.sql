-- A refresh token that comes back after its use was copied: its session ends; primary keys.
UPDATE sessions
SET ended_at = now(), end_reason = 'reuse'
FROM refresh_tokens
WHERE refresh_tokens.token = $1 AND refresh_tokens.used_at IS NOT NULL
    AND sessions.id = refresh_tokens.session_id AND sessions.ended_at IS NULL
RETURNING sessions.id, sessions.user_id
