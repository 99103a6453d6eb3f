-- Whether a session of an account began at this address; unique index users_email_key, index sessions_user.
SELECT EXISTS (
    SELECT FROM users JOIN sessions ON sessions.user_id = users.id WHERE users.email = $1 AND address_key = $2
) AS known
