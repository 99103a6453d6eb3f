-- Uses up a code, with all earlier ones; of two at once, one. Primary key.
UPDATE totp_factors
SET last_step = $2
WHERE user_id = $1 AND confirmed_at IS NOT NULL AND last_step < $2
