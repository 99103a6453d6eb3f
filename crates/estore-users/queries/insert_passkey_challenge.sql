-- A challenge for whoever is not logged in, good for $3 seconds, unless $4 such are open; index
-- passkey_challenges_of_nobody.
INSERT INTO passkey_challenges (challenge, purpose, expires_at)
SELECT $1::text, $2::text, now() + make_interval(secs => $3::double precision)
WHERE (
    SELECT count(*) FROM (
        SELECT FROM passkey_challenges WHERE session_id IS NULL AND expires_at > now() LIMIT $4::bigint
    ) AS open
) < $4
