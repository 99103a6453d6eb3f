-- A session of $5 days with its first refresh token; what failed before at the same place ($7) is forgotten.
WITH session AS (
    INSERT INTO sessions (id, user_id, user_agent, address_key, expires_at)
    VALUES ($1, $2, $3, $4, now() + $5::int * interval '1 day')
    RETURNING id, expires_at
), forgotten AS (
    DELETE FROM log_in_failures WHERE subject = $7
)
INSERT INTO refresh_tokens (token, session_id, expires_at)
SELECT $6, id, expires_at FROM session
