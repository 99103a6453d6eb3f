-- The password of whoever registered last, of an address that nobody has proved yet; primary key.
UPDATE users
SET hashed_password = $2, registered_again = true, updated_at = clock_timestamp()
WHERE id = $1 AND NOT is_verified AND is_active
