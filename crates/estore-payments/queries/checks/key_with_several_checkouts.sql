-- Keys that made a second checkout within the 24 hours that a key is kept at least. Reads all checkouts.
SELECT format('user %s, key %s: checkout %s follows another after %s', user_id, idempotency_key, id, gap)
FROM (
    SELECT user_id, idempotency_key, id,
        created_at - lag(created_at) OVER (PARTITION BY user_id, idempotency_key ORDER BY created_at) AS gap
    FROM checkouts
) c
WHERE gap < interval '24 hours'
