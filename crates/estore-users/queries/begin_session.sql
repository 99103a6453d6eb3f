-- A session of $4 days with its first refresh token.
WITH session AS (
    INSERT INTO sessions (id, user_id, user_agent, expires_at)
    VALUES ($1, $2, $3, now() + $4::int * interval '1 day')
    RETURNING id, expires_at
)
INSERT INTO refresh_tokens (token, session_id, expires_at)
SELECT $5, id, expires_at FROM session
