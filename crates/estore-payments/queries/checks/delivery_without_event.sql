-- Deliveries that tell of an order's event which was never committed. Index order_events_of_order.
SELECT format('delivery %s tells of %s of %s, and there is no such event', d.id, d.type, d.subject)
FROM webhook_deliveries d
WHERE d.subject LIKE 'order/%' AND NOT EXISTS (
    SELECT FROM order_events e
    WHERE e.order_id = split_part(d.subject, '/', 2)::integer AND e.type = d.type
      AND substr(encode(sha256(convert_to(e.checkout_id || '/' || e.id, 'UTF8')), 'hex'), 1, 32)::uuid = d.event_id)
