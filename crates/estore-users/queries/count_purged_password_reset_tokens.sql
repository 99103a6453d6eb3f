-- Tokens that are due to be removed; a whole scan, of a small table.
SELECT count(*) FROM password_reset_tokens WHERE expires_at < now() - make_interval(secs => $1::double precision)
