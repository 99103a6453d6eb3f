-- Uses a token up, and every other of its account with it; primary key and index password_reset_tokens_user.
WITH taken AS (
    DELETE FROM password_reset_tokens WHERE token = $1 AND expires_at > now() RETURNING user_id
), others AS (
    DELETE FROM password_reset_tokens WHERE user_id IN (SELECT user_id FROM taken) AND token <> $1
)
SELECT user_id FROM taken
