-- Makes a verified administrator, or nothing when the address is taken; unique index users_email_key.
INSERT INTO users (email, hashed_password, is_verified, is_admin, password_is_one_time)
VALUES ($1, $2, true, true, $3)
ON CONFLICT (email) DO NOTHING
RETURNING id
