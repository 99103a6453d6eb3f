-- Writes a delivery for each event of another service and subscribed endpoint, each once. One behind an open one of the
-- same subject waits. Index webhook_deliveries_open, constraint webhook_deliveries_once.
WITH event AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::jsonb[])
        WITH ORDINALITY AS a (event_id, type, subject, occurred_at, data, n)
), open AS MATERIALIZED (
    SELECT endpoint_id, subject FROM webhook_deliveries
    WHERE endpoint_id IN (SELECT id FROM webhook_endpoints WHERE is_active)
      AND subject = ANY ($3::text[]) AND state IN ('waiting', 'pending')
    ORDER BY id
    FOR SHARE
), delivery AS (
    SELECT p.id AS endpoint_id, e.*, EXISTS (SELECT FROM open WHERE open.endpoint_id = p.id AND open.subject = e.subject)
        OR row_number() OVER (PARTITION BY p.id, e.subject ORDER BY e.n) > 1 AS waits
    FROM event e JOIN webhook_endpoints p ON p.is_active AND p.events && ARRAY['all', e.type]::varchar[]
    WHERE NOT EXISTS (SELECT FROM webhook_deliveries d WHERE d.endpoint_id = p.id AND d.event_id = e.event_id)
)
INSERT INTO webhook_deliveries (endpoint_id, event_id, type, subject, payload, state, next_attempt_at)
SELECT endpoint_id, event_id, type, subject,
    jsonb_build_object('id', event_id, 'type', type, 'timestamp', occurred_at, 'data', data),
    CASE WHEN waits THEN 'waiting' ELSE 'pending' END, CASE WHEN NOT waits THEN now() END
FROM delivery ORDER BY n
ON CONFLICT (endpoint_id, event_id) DO NOTHING
