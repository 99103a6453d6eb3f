-- What somebody left in an account whose address they had not proved; their indexes on user_id.
WITH changes AS (DELETE FROM email_changes WHERE user_id = $1),
    factors AS (DELETE FROM totp_factors WHERE user_id = $1),
    codes AS (DELETE FROM recovery_codes WHERE user_id = $1)
DELETE FROM passkeys WHERE user_id = $1
