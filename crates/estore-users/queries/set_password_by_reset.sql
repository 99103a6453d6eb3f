-- A new password, set through the address, which is thereby verified; primary key.
UPDATE users
SET hashed_password = $2, is_verified = true, updated_at = clock_timestamp()
WHERE id = $1 AND is_active
RETURNING email
