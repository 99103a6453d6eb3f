-- The address an account wants to have, in place of one asked for before; primary key.
INSERT INTO email_changes (user_id, token, new_email, expires_at)
VALUES ($1, $2, $3, now() + $4::int * interval '1 hour')
ON CONFLICT (user_id) DO UPDATE
SET token = excluded.token, new_email = excluded.new_email, created_at = now(), expires_at = excluded.expires_at
