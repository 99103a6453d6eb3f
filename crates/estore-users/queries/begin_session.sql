-- A session of $5 days with its first refresh token, while the account is active, has proved its address or need not
-- ($9), and has the password hash ($8) that was checked: whoever changes any of it waits for us or we see it. What failed
-- before at the same place ($7) is forgotten.
WITH account AS (
    SELECT id FROM users WHERE id = $2 AND is_active AND (is_verified OR $9) AND hashed_password = $8 FOR SHARE
), session AS (
    INSERT INTO sessions (id, user_id, user_agent, address_key, expires_at)
    SELECT $1, id, $3, $4, now() + $5::int * interval '1 day' FROM account
    RETURNING id, expires_at
), forgotten AS (
    DELETE FROM log_in_failures WHERE subject = $7 AND EXISTS (SELECT FROM session)
)
INSERT INTO refresh_tokens (token, session_id, expires_at)
SELECT $6, id, expires_at FROM session
