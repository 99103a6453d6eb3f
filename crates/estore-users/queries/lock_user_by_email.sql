-- The account of an address, locked so that its mails are counted one request at a time; unique index users_email_key,
-- primary key of user_roles.
SELECT id, is_active, is_verified, registered_again,
    is_admin OR EXISTS (SELECT FROM user_roles WHERE user_id = users.id) AS has_role
FROM users
WHERE email = $1
FOR UPDATE
