-- Makes a second factor count from now on; its first code is used. Primary key.
UPDATE totp_factors
SET confirmed_at = now(), last_step = $3
WHERE user_id = $1 AND secret = $2 AND confirmed_at IS NULL
