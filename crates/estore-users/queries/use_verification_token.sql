-- Uses a token up, with all others of its account, and verifies the account with the password that it was sent for, and the
-- event where it was not verified; whether that is another password than the present one. Unique index
-- verification_tokens_token_key, index idx_verification_tokens_user.
WITH taken AS (
    DELETE FROM verification_tokens WHERE token = $1 AND expires_at > now() RETURNING user_id, hashed_password
), others AS (
    DELETE FROM verification_tokens WHERE user_id IN (SELECT user_id FROM taken) AND token <> $1
), before AS (
    SELECT users.id, is_verified, users.hashed_password,
        CASE WHEN is_verified THEN users.hashed_password
            ELSE coalesce(taken.hashed_password, users.hashed_password) END AS confirmed
    FROM users JOIN taken ON users.id = taken.user_id
    WHERE is_active FOR NO KEY UPDATE OF users
), told AS (
    INSERT INTO event_outbox (type, subject, data)
    SELECT 'user.verified', 'user/' || id, jsonb_build_object('id', id) FROM before WHERE NOT is_verified
)
UPDATE users
SET is_verified = true, registered_again = false, hashed_password = confirmed, updated_at = clock_timestamp()
FROM before
WHERE users.id = before.id
RETURNING users.id, users.email, before.hashed_password <> confirmed AS is_another
