-- What the log-ins of an account may ask for beside the password, and how many recovery codes are left; always one row.
-- Primary keys, index passkeys_user.
SELECT EXISTS (SELECT FROM totp_factors WHERE user_id = $1 AND confirmed_at IS NOT NULL) AS takes_totp,
    EXISTS (SELECT FROM passkeys WHERE user_id = $1 AND is_second_step) AS takes_passkey,
    (SELECT count(*) FROM recovery_codes WHERE user_id = $1) AS codes_left
