-- Events waiting to be told whose change is not there. Primary keys.
SELECT format('outbox %s: %s of checkout %s (%s), order %s (%s)', b.id, b.topic, b.checkout_id, c.status, b.order_id,
    o.status)
FROM outbox b
LEFT JOIN checkouts c ON c.id = b.checkout_id
LEFT JOIN orders o ON o.id = b.order_id
WHERE CASE
    WHEN b.topic = 'order.cancelled' THEN o.status IS DISTINCT FROM 'cancelled'
    WHEN b.topic = 'checkout.created' THEN c.id IS NULL
    WHEN b.order_id IS NOT NULL THEN NOT EXISTS (
        SELECT FROM order_events e WHERE e.order_id = b.order_id AND e.id = b.event_id AND e.type = b.topic)
    ELSE 'checkout.' || coalesce(c.status, 'missing') <> b.topic END
