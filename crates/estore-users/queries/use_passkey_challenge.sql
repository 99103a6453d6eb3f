-- Uses up the challenge of a registration; primary key.
DELETE FROM passkey_challenges
WHERE challenge = $1 AND purpose = 'registration' AND session_id = $2 AND expires_at > now()
RETURNING user_handle
