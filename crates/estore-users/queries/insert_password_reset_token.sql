-- A token that resets a password, good for $3 minutes.
INSERT INTO password_reset_tokens (user_id, token, expires_at)
VALUES ($1, $2, now() + $3::int * interval '1 minute')
