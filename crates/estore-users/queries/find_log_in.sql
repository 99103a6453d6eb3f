-- What a log-in is checked against, and how often its account, its address and the two together failed of late; always
-- one row. Unique index users_email_key, index passkeys_user, primary keys of
-- totp_factors and log_in_failures.
SELECT users.id, hashed_password, is_active, is_verified, is_admin, password_is_one_time,
    totp_factors.secret AS totp_secret,
    EXISTS (SELECT FROM passkeys WHERE passkeys.user_id = users.id AND is_second_step) AS takes_passkey,
    ARRAY(SELECT role::text FROM user_roles WHERE user_id = users.id ORDER BY role) AS roles,
    account.failures AS account_failures, extract(epoch FROM now() - account.last_at)::bigint AS account_seconds,
    address.failures AS address_failures, extract(epoch FROM now() - address.last_at)::bigint AS address_seconds,
    pair.failures AS pair_failures, extract(epoch FROM now() - pair.last_at)::bigint AS pair_seconds
FROM (VALUES (1)) AS one
LEFT JOIN users ON users.email = $1
LEFT JOIN totp_factors ON totp_factors.user_id = users.id AND totp_factors.confirmed_at IS NOT NULL
LEFT JOIN log_in_failures AS account ON account.subject = $2
LEFT JOIN log_in_failures AS address ON address.subject = $3
LEFT JOIN log_in_failures AS pair ON pair.subject = $4
