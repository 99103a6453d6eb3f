-- One account with its password hash, locked for a change; primary keys.
SELECT id, email, is_active, is_verified, is_admin, created_at, updated_at, hashed_password,
    ARRAY(SELECT role::text FROM user_roles WHERE user_id = users.id ORDER BY role) AS roles,
    (SELECT new_email FROM email_changes WHERE user_id = users.id AND expires_at > now()) AS pending_email
FROM users
WHERE id = $1
FOR UPDATE OF users
