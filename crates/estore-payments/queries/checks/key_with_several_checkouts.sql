-- Keys that made a second checkout within the 24 hours that a key is kept at least, other than after one that was cut
-- off before it was charged. Reads all checkouts.
SELECT format('user %s, key %s: checkout %s follows another after %s', user_id, idempotency_key, id, gap)
FROM (
    SELECT user_id, idempotency_key, id, created_at - lag(created_at) OVER earlier AS gap,
        lag(failure) OVER earlier AS failure
    FROM checkouts
    WINDOW earlier AS (PARTITION BY user_id, idempotency_key ORDER BY created_at, id)
) c
WHERE gap < interval '24 hours' AND failure IS DISTINCT FROM 'charge_not_made'
