-- API keys that ended long ago; a whole scan, of a small table.
DELETE FROM api_keys WHERE id IN (
    SELECT id FROM api_keys
    WHERE least(expires_at, revoked_at) < now() - make_interval(secs => $1::double precision) LIMIT $2)
