-- Refresh tokens that are due to be removed; index refresh_tokens_expiry.
SELECT count(*) FROM refresh_tokens WHERE expires_at < now() - make_interval(secs => $1::double precision)
