-- An administrator's change of an account, and of its roles where $4 names them. Nothing changes where an address that nobody
-- has proved would get a role. Whether it was changed; primary keys of users and user_roles.
WITH changed AS (
    UPDATE users
    SET is_active = $2, is_admin = $3, updated_at = clock_timestamp()
    WHERE id = $1 AND (is_verified OR (is_admin OR NOT $3) AND NOT EXISTS (
        SELECT unnest($4::text[]) EXCEPT SELECT role FROM user_roles WHERE user_id = $1
    ))
    RETURNING id
), gone AS (
    DELETE FROM user_roles USING changed WHERE user_id = changed.id AND role <> ALL ($4::text[])
), given AS (
    INSERT INTO user_roles (user_id, role, granted_by)
    SELECT id, role, $5 FROM changed, unnest($4::text[]) AS role
    ON CONFLICT DO NOTHING
)
SELECT id FROM changed
