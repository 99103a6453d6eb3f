-- Whose password a token resets, before the new one is hashed; primary key.
SELECT user_id, email
FROM password_reset_tokens
JOIN users ON users.id = user_id
WHERE token = $1 AND expires_at > now() AND is_active
