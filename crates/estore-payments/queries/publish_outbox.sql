-- Takes rows off the outbox and writes what they tell: a delivery for each order event and subscribed endpoint, and a
-- notice for the buyer where $2. Where InventoryService has been told ($3), the stock of a checkout that was cut off is
-- back, and its key free. One behind an open one of the same order waits; the open ones are locked, so that none ends unseen meanwhile. Not waiting
-- for the disk: a row that comes back is told again. Primary keys, orders_one_per_product, order_events_of_order,
-- webhook_deliveries_open.
WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)), told AS (
    DELETE FROM outbox USING quick WHERE id = ANY ($1::bigint[])
    RETURNING id, topic, checkout_id, order_id, event_id, is_published, created_at
), freed AS (
    DELETE FROM idempotency_keys k USING told t
    WHERE $3::boolean AND t.topic = 'checkout.failed' AND k.resource_id = t.checkout_id AND k.state || '' = 'undoing'
), noticed AS (
    INSERT INTO order_notices (event_id, kind, user_id, orders, amount, currency)
    SELECT c.id, 'paid', c.user_id, ARRAY(SELECT o.id FROM orders o WHERE o.checkout_id = c.id ORDER BY o.id),
        c.total_amount, c.currency
    FROM told t JOIN checkouts c ON c.id = t.checkout_id
    WHERE $2::boolean AND t.topic = 'checkout.paid' AND NOT t.is_published
    UNION ALL
    SELECT substr(encode(sha256(convert_to(o.checkout_id || '/' || e.id, 'UTF8')), 'hex'), 1, 32)::uuid,
        split_part(t.topic, '.', 2), o.user_id::integer, ARRAY[o.id],
        CASE t.topic WHEN 'order.refunded' THEN e.amount ELSE o.total_amount END, o.currency
    FROM told t JOIN orders o ON o.id = t.order_id
    JOIN order_events e ON e.order_id = o.id AND e.id = t.event_id AND e.created_at > t.created_at - interval '1 day'
    WHERE $2::boolean AND t.topic IN ('order.shipped', 'order.refunded') AND NOT t.is_published
    ON CONFLICT (event_id) DO NOTHING
), event AS MATERIALIZED (
    SELECT t.id AS outbox_id, e.id, e.type, 'order/' || o.id AS subject,
        substr(encode(sha256(convert_to(o.checkout_id || '/' || e.id, 'UTF8')), 'hex'), 1, 32)::uuid AS event_id,
        e.created_at, jsonb_build_object('id', o.id, 'checkout_id', o.checkout_id, 'user_id', o.user_id::integer,
            'product_id', o.product_id::integer, 'quantity', o.quantity, 'unit_price', o.unit_price,
            'total_amount', o.total_amount, 'currency', o.currency, 'status', e.status, 'amount', e.amount,
            'note', e.note, 'metadata', o.metadata) AS data
    FROM told t
    JOIN orders o ON o.checkout_id = t.checkout_id AND (t.order_id IS NULL OR o.id = t.order_id)
    -- The day lets old partitions be left alone.
    -- A checkout that is cancelled while it waits fails, and its orders are cancelled.
    JOIN order_events e ON e.order_id = o.id
        AND (e.type = 'order.' || split_part(t.topic, '.', 2)
             OR t.topic = 'checkout.failed' AND e.type = 'order.cancelled')
        AND (t.event_id IS NULL OR e.id = t.event_id) AND e.created_at > t.created_at - interval '1 day'
    WHERE NOT t.is_published AND EXISTS (SELECT FROM webhook_endpoints WHERE is_active)
), open AS MATERIALIZED (
    SELECT endpoint_id, subject FROM webhook_deliveries
    WHERE endpoint_id IN (SELECT id FROM webhook_endpoints WHERE is_active)
      AND subject IN (SELECT subject FROM event) AND state IN ('waiting', 'pending')
    ORDER BY id
    FOR SHARE
), delivery AS (
    SELECT p.id AS endpoint_id, e.*, EXISTS (SELECT FROM open WHERE open.endpoint_id = p.id AND open.subject = e.subject)
        OR row_number() OVER (PARTITION BY p.id, e.subject ORDER BY e.outbox_id, e.id) > 1 AS waits
    FROM event e JOIN webhook_endpoints p ON p.is_active AND p.events && ARRAY['all', e.type]::varchar[]
)
INSERT INTO webhook_deliveries (endpoint_id, event_id, type, subject, payload, state, next_attempt_at)
SELECT endpoint_id, event_id, type, subject, jsonb_build_object('id', event_id, 'type', type, 'timestamp',
        to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'data', data),
    CASE WHEN waits THEN 'waiting' ELSE 'pending' END, CASE WHEN NOT waits THEN now() END
FROM delivery ORDER BY outbox_id, id
ON CONFLICT (endpoint_id, event_id) DO NOTHING
