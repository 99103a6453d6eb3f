-- Uses a token up and switches the address, with the event where none was verified before; unique index email_changes_token_once, constraint users_email_key.
WITH taken AS (
    DELETE FROM email_changes WHERE token = $1 AND expires_at > now() RETURNING user_id, new_email
), old AS (
    SELECT users.id, users.email, users.is_verified, taken.new_email
    FROM taken JOIN users ON users.id = taken.user_id
    WHERE users.is_active
    FOR NO KEY UPDATE OF users
), told AS (
    INSERT INTO event_outbox (type, subject, data)
    SELECT 'user.verified', 'user/' || id, jsonb_build_object('id', id) FROM old WHERE NOT is_verified
)
UPDATE users
SET email = old.new_email, is_verified = true, updated_at = clock_timestamp()
FROM old
WHERE users.id = old.id
RETURNING users.id, old.email AS old_email, users.email AS new_email
