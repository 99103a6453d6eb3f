-- The authenticator of an account, and whether it is confirmed; primary key.
SELECT secret, confirmed_at,
    confirmed_at IS NULL AND created_at < now() - interval '1 hour' AS is_stale
FROM totp_factors
WHERE user_id = $1
