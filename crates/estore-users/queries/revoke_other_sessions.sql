-- Ends every open session of an account but one; index sessions_user.
UPDATE sessions
SET ended_at = now(), end_reason = 'revoked'
WHERE user_id = $1 AND id <> $2 AND ended_at IS NULL AND expires_at > now()
RETURNING id
