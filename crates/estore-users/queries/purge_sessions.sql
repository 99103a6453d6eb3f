-- Sessions that cannot be used any more, with their refresh tokens; index sessions_expiry.
DELETE FROM sessions WHERE id IN (
    SELECT id FROM sessions WHERE expires_at < now() - make_interval(secs => $1::double precision) LIMIT $2)
