-- The active account of an open session, and each of its passkeys, oldest first; at least one row. Primary keys, index
-- passkeys_user.
SELECT email, credential_id, transports, user_handle
FROM sessions
JOIN users ON users.id = sessions.user_id
LEFT JOIN passkeys ON passkeys.user_id = users.id
WHERE sessions.id = $1 AND sessions.user_id = $2 AND ended_at IS NULL AND is_active
ORDER BY passkeys.created_at
