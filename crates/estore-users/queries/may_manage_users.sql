-- Whether an account may manage others now, whatever its token said; primary keys.
SELECT EXISTS (
    SELECT FROM users
    WHERE id = $1 AND is_active
        AND (is_admin OR EXISTS (SELECT FROM user_roles WHERE user_id = users.id AND role = 'users'))
) AS may
