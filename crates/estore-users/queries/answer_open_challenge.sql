-- Notes for $3 seconds that a challenge of somebody who is not logged in was answered, and answers the passkey that is shown
-- for it, and whether it was the first one; no row, and nothing noted, where there is no such passkey. Primary keys, unique
-- index passkeys_credential_once.
WITH shown AS (
    SELECT passkeys.id, user_id, public_key, user_handle, is_backup_eligible, email, hashed_password,
        is_verified, suspected_at IS NULL AND is_active AS is_usable
    FROM passkeys JOIN users ON users.id = user_id
    WHERE credential_id = $4
), answered AS (
    INSERT INTO passkey_challenges (challenge, purpose, expires_at)
    SELECT $1::text, $2::text, now() + make_interval(secs => $3::double precision) FROM shown
    ON CONFLICT (challenge) DO NOTHING
    RETURNING challenge
)
SELECT shown.*, EXISTS (SELECT FROM answered) AS is_first FROM shown
