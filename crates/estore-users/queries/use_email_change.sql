-- Uses a token up and switches the address; unique index email_changes_token_once, constraint users_email_key.
WITH taken AS (
    DELETE FROM email_changes WHERE token = $1 AND expires_at > now() RETURNING user_id, new_email
), old AS (
    SELECT users.id, users.email, taken.new_email
    FROM taken JOIN users ON users.id = taken.user_id
    WHERE users.is_active
)
UPDATE users
SET email = old.new_email, is_verified = true, updated_at = clock_timestamp()
FROM old
WHERE users.id = old.id
RETURNING users.id, old.email AS old_email, users.email AS new_email
