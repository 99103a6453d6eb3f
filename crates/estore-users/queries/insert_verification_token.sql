-- A token that proves an account's address and confirms its present password, good for $3 hours; primary key of users.
INSERT INTO verification_tokens (user_id, token, expires_at, hashed_password)
SELECT id, $2::text, now() + $3::int * interval '1 hour', hashed_password FROM users WHERE id = $1
