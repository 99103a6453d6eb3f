-- Makes an account, or nothing when the address is taken; unique index users_email_key.
INSERT INTO users (email, hashed_password)
VALUES ($1, $2)
ON CONFLICT (email) DO NOTHING
RETURNING id
