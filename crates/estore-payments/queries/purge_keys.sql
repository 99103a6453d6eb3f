-- Removes a batch of finished keys that are older than they are kept. BRIN index idempotency_keys_age.
DELETE FROM idempotency_keys WHERE (user_id, key) IN (
    SELECT user_id, key FROM idempotency_keys
    WHERE created_at < now() - make_interval(secs => $1::double precision) AND state = 'finished'
    LIMIT $2
    FOR UPDATE SKIP LOCKED)
