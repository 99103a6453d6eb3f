-- A page of all accounts by id; primary key.
SELECT id, email, is_active, is_verified, is_admin, created_at, updated_at,
    ARRAY(SELECT role::text FROM user_roles WHERE user_id = users.id ORDER BY role) AS roles,
    NULL::text AS pending_email
FROM users
WHERE id > $1 AND ($2::boolean IS NULL OR is_active = $2)
ORDER BY id
LIMIT $3
