-- Notes that the owner of an open session proved who they are, and answers what to sign; primary keys.
UPDATE sessions
SET authenticated_at = now()
FROM users
WHERE sessions.id = $1 AND sessions.user_id = $2 AND ended_at IS NULL AND users.id = sessions.user_id AND is_active
RETURNING users.id, is_verified, is_admin,
    ARRAY(SELECT role::text FROM user_roles WHERE user_id = users.id ORDER BY role) AS roles
