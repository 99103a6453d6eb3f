-- Tokens that ended; a whole scan, of a table that this keeps small.
DELETE FROM password_reset_tokens WHERE token IN (
    SELECT token FROM password_reset_tokens
    WHERE expires_at < now() - make_interval(secs => $1::double precision) LIMIT $2)
