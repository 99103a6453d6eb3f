-- A new password; primary key.
UPDATE users
SET hashed_password = $2, password_is_one_time = false, updated_at = clock_timestamp()
WHERE id = $1
