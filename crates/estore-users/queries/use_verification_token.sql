-- Uses a token up and verifies its account, with the event where it was not; unique index verification_tokens_token_key.
WITH taken AS (
    DELETE FROM verification_tokens WHERE token = $1 AND expires_at > now() RETURNING user_id
), before AS (
    SELECT id, is_verified FROM users JOIN taken ON users.id = taken.user_id
    WHERE is_active FOR NO KEY UPDATE OF users
), told AS (
    INSERT INTO event_outbox (type, subject, data)
    SELECT 'user.verified', 'user/' || id, jsonb_build_object('id', id) FROM before WHERE NOT is_verified
)
UPDATE users
SET is_verified = true, updated_at = clock_timestamp()
FROM before
WHERE users.id = before.id
RETURNING users.id
