-- Sends ended deliveries of an active endpoint again, in their order: one of them by id, or a batch of the dead. One
-- behind an open one of the same subject waits. Primary key, webhook_deliveries_of_endpoint.
WITH ended AS MATERIALIZED (
    SELECT id, subject FROM webhook_deliveries
    WHERE endpoint_id = $1 AND EXISTS (SELECT FROM webhook_endpoints p WHERE p.id = $1 AND p.is_active)
      AND CASE WHEN $2::bigint IS NULL THEN state = 'dead' ELSE id = $2 AND state IN ('dead', 'delivered') END
    ORDER BY id LIMIT $3
    FOR UPDATE
), open AS MATERIALIZED (
    SELECT subject FROM webhook_deliveries
    WHERE endpoint_id = $1 AND subject IN (SELECT subject FROM ended) AND state IN ('waiting', 'pending')
    ORDER BY id
    FOR SHARE
), again AS (
    SELECT e.id, row_number() OVER (PARTITION BY e.subject ORDER BY e.id) > 1
        OR EXISTS (SELECT FROM open WHERE open.subject = e.subject) AS waits
    FROM ended e
)
UPDATE webhook_deliveries d SET state = CASE WHEN a.waits THEN 'waiting' ELSE 'pending' END, attempts = 0,
    next_attempt_at = CASE WHEN NOT a.waits THEN now() END, ended_at = NULL
FROM again a WHERE d.id = a.id
