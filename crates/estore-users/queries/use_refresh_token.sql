-- Uses a refresh token up, puts the next one in its place and answers who it speaks for, unless the address of the account is
-- not proved and has to be ($4): then it stays as it is. Primary keys.
WITH used AS (
    UPDATE refresh_tokens SET used_at = now()
    WHERE token = $1 AND used_at IS NULL AND expires_at > now()
        AND ($4 OR EXISTS (
            SELECT FROM sessions JOIN users ON users.id = sessions.user_id
            WHERE sessions.id = refresh_tokens.session_id AND is_verified
        ))
    RETURNING session_id
), session AS (
    UPDATE sessions SET last_used_at = now(), expires_at = now() + $3::int * interval '1 day'
    FROM used
    WHERE sessions.id = used.session_id AND sessions.ended_at IS NULL
    RETURNING sessions.id, sessions.user_id, sessions.expires_at, sessions.authenticated_at
), next AS (
    INSERT INTO refresh_tokens (token, session_id, expires_at)
    SELECT $2, id, expires_at FROM session
)
SELECT session.id AS session_id, extract(epoch FROM authenticated_at)::bigint AS authenticated_at, users.id, users.is_verified, users.is_admin,
    ARRAY(SELECT role::text FROM user_roles WHERE user_id = users.id ORDER BY role) AS roles
FROM session
JOIN users ON users.id = session.user_id
WHERE users.is_active
