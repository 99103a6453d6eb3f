-- Makes a verified administrator, or nothing when the address is taken; unique index users_email_key.
INSERT INTO users (email, hashed_password, is_verified, is_admin)
VALUES ($1, $2, true, true)
ON CONFLICT (email) DO NOTHING
RETURNING id
