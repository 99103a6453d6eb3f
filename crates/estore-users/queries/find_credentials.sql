-- What a login is checked against; unique index users_email_key.
SELECT id, hashed_password, is_active, is_verified, is_admin, password_is_one_time,
    ARRAY(SELECT role::text FROM user_roles WHERE user_id = users.id ORDER BY role) AS roles
FROM users
WHERE email = $1
