-- An administrator's change of an account; primary key.
UPDATE users
SET is_active = $2, is_admin = $3, updated_at = clock_timestamp()
WHERE id = $1
