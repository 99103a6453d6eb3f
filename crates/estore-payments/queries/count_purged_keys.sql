-- Finished keys that are due to be removed. BRIN index idempotency_keys_age.
SELECT count(*) FROM idempotency_keys
WHERE created_at < now() - make_interval(secs => $1::double precision) AND state = 'finished'
