-- What an account may do; primary keys.
SELECT id, is_verified, is_admin, ARRAY(SELECT role::text FROM user_roles WHERE user_id = users.id ORDER BY role) AS roles
FROM users
WHERE id = $1
