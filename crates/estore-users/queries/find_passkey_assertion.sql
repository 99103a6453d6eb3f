-- Uses a session's challenge up, and answers the passkey that is shown for it, if there is one; no row where the challenge is
-- none that is open for this. Primary keys, unique index passkeys_credential_once.
WITH used AS (
    DELETE FROM passkey_challenges
    WHERE challenge = $1 AND purpose = $2 AND session_id = $3::uuid AND expires_at > now()
    RETURNING challenge
)
SELECT passkeys.id, passkeys.user_id, public_key, user_handle, is_backup_eligible, email, hashed_password,
    is_verified, suspected_at IS NULL AND is_active AS is_usable
FROM used
LEFT JOIN passkeys ON credential_id = $4
LEFT JOIN users ON users.id = passkeys.user_id
