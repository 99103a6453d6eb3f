-- An endpoint with deliveries in every state, and a refund that is still to be told.
INSERT INTO webhook_endpoints (id, url, events, created_by) VALUES (gen_random_uuid(), 'https://shop.example/hook', '{all}', 1);
INSERT INTO webhook_deliveries (endpoint_id, event_id, type, subject, payload, state, next_attempt_at, ended_at)
SELECT e.id, gen_random_uuid(), 'order.paid', 'order/' || n, '{"type": "order.paid"}', s.state,
       CASE s.state WHEN 'pending' THEN now() END, CASE WHEN s.state IN ('delivered', 'dead') THEN now() END
FROM webhook_endpoints e, generate_series(1, 8) AS n, LATERAL (SELECT (ARRAY['waiting', 'pending', 'delivered', 'dead'])[1 + n % 4] AS state) s;
INSERT INTO outbox (topic, checkout_id, order_id, event_id)
SELECT 'order.refunded', checkout_id, id, 1 FROM orders WHERE status = 'partially_refunded';
