-- Ends the authenticator of an account; primary key.
DELETE FROM totp_factors WHERE user_id = $1
