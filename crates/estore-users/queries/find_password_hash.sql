-- What the present password is compared with before a change; primary key.
SELECT hashed_password
FROM users
WHERE id = $1 AND is_active
