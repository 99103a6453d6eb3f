-- Removes all passkeys of an account; index passkeys_user.
DELETE FROM passkeys WHERE user_id = $1
