-- Ends the second factor of an account, its recovery codes with it; primary key.
DELETE FROM totp_factors WHERE user_id = $1
