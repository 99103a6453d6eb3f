-- Takes everything personal out of an account and keeps its id; primary key.
UPDATE users
SET email = 'erased-' || id || '@invalid', hashed_password = '!',
    is_active = false, is_verified = false, is_admin = false, updated_at = clock_timestamp()
WHERE id = $1
