-- Every token, key, second factor, role, address change and trace of a session of an account; their indexes on user_id.
WITH verifications AS (DELETE FROM verification_tokens WHERE user_id = $1),
    resets AS (DELETE FROM password_reset_tokens WHERE user_id = $1),
    changes AS (DELETE FROM email_changes WHERE user_id = $1),
    ended AS (DELETE FROM sessions WHERE user_id = $1),
    keys AS (DELETE FROM api_keys WHERE user_id = $1),
    factors AS (DELETE FROM totp_factors WHERE user_id = $1),
    codes AS (DELETE FROM recovery_codes WHERE user_id = $1),
    passkeys AS (DELETE FROM passkeys WHERE user_id = $1)
DELETE FROM user_roles WHERE user_id = $1
