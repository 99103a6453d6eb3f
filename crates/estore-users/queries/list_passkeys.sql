-- The passkeys of an account, oldest first; index passkeys_user.
SELECT id, name, transports, is_second_step, is_backed_up, created_at, last_used_at, suspected_at
FROM passkeys
WHERE user_id = $1
ORDER BY created_at, id
