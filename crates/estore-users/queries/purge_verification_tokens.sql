-- Tokens that ended; a whole scan, of a table that this keeps small.
DELETE FROM verification_tokens WHERE id IN (
    SELECT id FROM verification_tokens WHERE expires_at < now() - make_interval(secs => $1::double precision) LIMIT $2)
