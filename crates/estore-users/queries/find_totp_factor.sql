-- The second factor of an account, whether it is confirmed, and how many recovery codes are left; primary keys.
SELECT secret, confirmed_at,
    confirmed_at IS NULL AND created_at < now() - interval '1 hour' AS is_stale,
    (SELECT count(*) FROM recovery_codes WHERE recovery_codes.user_id = totp_factors.user_id) AS codes_left
FROM totp_factors
WHERE user_id = $1
