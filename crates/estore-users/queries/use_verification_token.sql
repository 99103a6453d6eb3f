-- Uses a token up and verifies its account; unique index verification_tokens_token_key.
WITH taken AS (
    DELETE FROM verification_tokens WHERE token = $1 AND expires_at > now() RETURNING user_id
)
UPDATE users
SET is_verified = true, updated_at = clock_timestamp()
FROM taken
WHERE users.id = taken.user_id AND users.is_active
RETURNING users.id
