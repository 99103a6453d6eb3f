-- API keys that are due to be removed; a whole scan, of a small table.
SELECT count(*) FROM api_keys WHERE least(expires_at, revoked_at) < now() - make_interval(secs => $1::double precision)
