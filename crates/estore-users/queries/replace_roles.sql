-- Makes an account's roles those given; primary key of user_roles.
WITH gone AS (
    DELETE FROM user_roles WHERE user_id = $1 AND role <> ALL ($2::text[])
)
INSERT INTO user_roles (user_id, role, granted_by)
SELECT $1, role, $3 FROM unnest($2::text[]) AS role
ON CONFLICT DO NOTHING
