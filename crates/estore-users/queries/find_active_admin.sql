-- Whether there is an administrator who can log in; index users_admins.
SELECT EXISTS (SELECT FROM users WHERE is_admin AND is_active) AS found
