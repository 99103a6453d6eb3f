-- A new password, of which letters that confirm the old one hear, and no pending change of address; primary key, indexes on
-- user_id.
WITH before AS (
    SELECT id, hashed_password FROM users WHERE id = $1
), confirming AS (
    UPDATE verification_tokens SET hashed_password = $2
    FROM before WHERE user_id = before.id AND verification_tokens.hashed_password = before.hashed_password
), changes AS (
    DELETE FROM email_changes WHERE user_id = $1
)
UPDATE users
SET hashed_password = $2, password_is_one_time = false, updated_at = clock_timestamp()
WHERE id = $1
