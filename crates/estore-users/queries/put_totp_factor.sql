-- A second factor that is still to be confirmed, in place of another such one; primary key.
INSERT INTO totp_factors AS known (user_id, secret)
VALUES ($1, $2)
ON CONFLICT (user_id) DO UPDATE
SET secret = excluded.secret, last_step = 0, created_at = now()
WHERE known.confirmed_at IS NULL
