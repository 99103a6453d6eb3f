-- A password of one's own in place of the one-time password that was shown, once; primary key.
UPDATE users
SET hashed_password = $3, password_is_one_time = false, updated_at = clock_timestamp()
WHERE id = $1 AND hashed_password = $2 AND is_active AND password_is_one_time
RETURNING id
