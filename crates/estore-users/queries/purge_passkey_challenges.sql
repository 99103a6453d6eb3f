-- Challenges that nobody answered in time; index passkey_challenges_expiry.
DELETE FROM passkey_challenges WHERE challenge IN (
    SELECT challenge FROM passkey_challenges
    WHERE expires_at < now() - make_interval(secs => $1::double precision) LIMIT $2)
