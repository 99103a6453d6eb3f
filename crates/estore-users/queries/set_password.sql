-- A new password; primary key.
UPDATE users
SET hashed_password = $2, updated_at = clock_timestamp()
WHERE id = $1
