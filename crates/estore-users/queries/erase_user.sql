-- Takes everything personal out of an account, keeps its id, and has the other services told; primary key.
WITH told AS (
    INSERT INTO event_outbox (type, subject, data)
    VALUES ('user.erased', 'user/' || $1::int, jsonb_build_object('id', $1::int))
)
UPDATE users
SET email = 'erased-' || id || '@invalid', hashed_password = '!',
    is_active = false, is_verified = false, is_admin = false, updated_at = clock_timestamp()
WHERE id = $1
