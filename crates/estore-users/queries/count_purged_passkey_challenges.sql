-- Challenges that are due to be removed; index passkey_challenges_expiry.
SELECT count(*) FROM passkey_challenges WHERE expires_at < now() - make_interval(secs => $1::double precision)
