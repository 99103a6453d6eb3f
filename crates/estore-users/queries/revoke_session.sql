-- Ends one open session of an account, from another one; primary key.
UPDATE sessions
SET ended_at = now(), end_reason = 'revoked'
WHERE id = $1 AND user_id = $2 AND ended_at IS NULL AND expires_at > now()
