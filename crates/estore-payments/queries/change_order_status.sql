-- Moves one locked order along, with the event and the news of it. Primary key.
WITH changed AS (
    UPDATE orders SET status = $2::text, updated_at = $3 WHERE id = $1
    RETURNING id, checkout_id, user_id, status, updated_at
), noted AS (
    INSERT INTO order_events (order_id, checkout_id, user_id, type, status, actor_id, note, created_at)
    SELECT id, checkout_id, user_id::integer, 'order.' || status, status, $4, $5, updated_at FROM changed
    RETURNING id, order_id, checkout_id, type
)
INSERT INTO outbox (topic, checkout_id, order_id, event_id)
SELECT type, checkout_id, order_id, id FROM noted WHERE type IN ('order.shipped', 'order.delivered')
