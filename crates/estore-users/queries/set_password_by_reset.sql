-- A new password, set through the address, which is thereby verified, with the event where it was not; primary key.
WITH before AS (
    SELECT id, is_verified FROM users WHERE id = $1 AND is_active FOR NO KEY UPDATE
), told AS (
    INSERT INTO event_outbox (type, subject, data)
    SELECT 'user.verified', 'user/' || id, jsonb_build_object('id', id) FROM before WHERE NOT is_verified
)
UPDATE users
SET hashed_password = $2, password_is_one_time = false, is_verified = true, updated_at = clock_timestamp()
FROM before
WHERE users.id = before.id
RETURNING users.email
