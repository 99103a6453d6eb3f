-- What the present password is compared with before a change, and how often that failed of late; primary keys.
SELECT hashed_password, failures, extract(epoch FROM now() - last_at)::bigint AS seconds
FROM users
LEFT JOIN log_in_failures ON subject = $2
WHERE id = $1 AND is_active
