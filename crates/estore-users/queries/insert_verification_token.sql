-- A token that proves an account's address, good for $3 hours.
INSERT INTO verification_tokens (user_id, token, expires_at)
VALUES ($1, $2, now() + $3::int * interval '1 hour')
