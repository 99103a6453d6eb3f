-- Refresh tokens past the time in which a reuse could matter; index refresh_tokens_expiry.
DELETE FROM refresh_tokens WHERE token IN (
    SELECT token FROM refresh_tokens WHERE expires_at < now() - make_interval(secs => $1::double precision) LIMIT $2)
