-- Whether there is an active administrator; index users_admins.
SELECT EXISTS (SELECT FROM users WHERE is_admin AND is_active) AS found
