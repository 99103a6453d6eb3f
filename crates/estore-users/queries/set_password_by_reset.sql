-- A new password, set through the address, which is thereby verified, with the event where it was not. What others asked
-- for by letter before, a change of address or the proof of a registration, is forgotten. Primary key, indexes on user_id.
WITH before AS (
    SELECT id, is_verified FROM users WHERE id = $1 AND is_active FOR NO KEY UPDATE
), told AS (
    INSERT INTO event_outbox (type, subject, data)
    SELECT 'user.verified', 'user/' || id, jsonb_build_object('id', id) FROM before WHERE NOT is_verified
), registrations AS (
    DELETE FROM verification_tokens WHERE user_id IN (SELECT id FROM before)
), changes AS (
    DELETE FROM email_changes WHERE user_id IN (SELECT id FROM before)
)
UPDATE users
SET hashed_password = $2, password_is_one_time = false, is_verified = true, registered_again = false,
    updated_at = clock_timestamp()
FROM before
WHERE users.id = before.id
RETURNING users.email
