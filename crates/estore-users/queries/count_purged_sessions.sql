-- Sessions that are due to be removed; index sessions_expiry.
SELECT count(*) FROM sessions WHERE expires_at < now() - make_interval(secs => $1::double precision)
