-- Removes the recovery codes of an account whose log-ins take no second step any more; primary keys, index passkeys_user.
DELETE FROM recovery_codes
WHERE user_id = $1
    AND NOT EXISTS (SELECT FROM totp_factors WHERE totp_factors.user_id = $1 AND confirmed_at IS NOT NULL)
    AND NOT EXISTS (SELECT FROM passkeys WHERE passkeys.user_id = $1 AND is_second_step)
