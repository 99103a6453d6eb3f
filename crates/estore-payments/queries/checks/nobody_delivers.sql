-- Deliveries and notices that nobody has taken up for 10 minutes. Partial indexes webhook_deliveries_due and _open.
SELECT format('delivery %s (%s of %s) was due at %s', d.id, d.type, d.subject, d.next_attempt_at)
FROM webhook_deliveries d JOIN webhook_endpoints p ON p.id = d.endpoint_id AND p.is_active
WHERE d.state = 'pending' AND d.next_attempt_at < now() - interval '10 minutes' AND NOT EXISTS (
    -- One behind others of a slow receiver has been seen to.
    SELECT FROM webhook_deliveries e
    WHERE e.endpoint_id = d.endpoint_id AND e.last_attempt_at > now() - interval '10 minutes')
UNION ALL
SELECT format('delivery %s (%s of %s) waits for nobody', d.id, d.type, d.subject)
FROM webhook_deliveries d
WHERE d.state = 'waiting' AND d.created_at < now() - interval '10 minutes' AND NOT EXISTS (
    SELECT FROM webhook_deliveries e
    WHERE e.endpoint_id = d.endpoint_id AND e.subject = d.subject
      AND (e.state = 'pending' OR (e.state = 'waiting' AND e.id < d.id)))
UNION ALL
SELECT format('notice %s (%s) to user %s is untold since %s', event_id, kind, user_id, created_at)
FROM order_notices WHERE created_at < now() - interval '10 minutes'
UNION ALL
SELECT format('delivery %s (%s of %s) is for an endpoint that is not delivered to', d.id, d.type, d.subject)
FROM webhook_endpoints p JOIN webhook_deliveries d ON d.endpoint_id = p.id
WHERE NOT p.is_active AND d.state IN ('waiting', 'pending') AND d.created_at < now() - interval '10 minutes'
  AND coalesce(p.updated_at, p.created_at) < now() - interval '10 minutes'
