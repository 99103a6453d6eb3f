-- What the present password and what comes beside it are compared with before a change, and how often either was wrong of
-- late; primary keys, index passkeys_user.
SELECT hashed_password, totp_factors.secret AS totp_secret,
    EXISTS (SELECT FROM passkeys WHERE passkeys.user_id = users.id AND is_second_step) AS takes_passkey,
    failures, extract(epoch FROM now() - last_at)::bigint AS seconds
FROM users
LEFT JOIN totp_factors ON totp_factors.user_id = users.id AND totp_factors.confirmed_at IS NOT NULL
LEFT JOIN log_in_failures ON subject = $2
WHERE users.id = $1 AND is_active
