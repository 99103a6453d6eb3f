-- An account and every active administrator, locked in one order; primary key and index users_admins.
SELECT id, is_active AND is_admin AS is_active_admin
FROM users
WHERE id = $1 OR (is_admin AND is_active)
ORDER BY id
FOR UPDATE
