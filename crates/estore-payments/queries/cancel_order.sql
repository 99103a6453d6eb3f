-- Cancels one locked order: what is left of its money is reserved for the refund, its units are to go back.
-- Primary key.
WITH cancelled AS (
    UPDATE orders SET status = 'cancelled', refunded_amount = captured_amount, updated_at = $2 WHERE id = $1
    RETURNING id, checkout_id, user_id, status, updated_at
), told AS (
    INSERT INTO outbox (topic, checkout_id, order_id) SELECT 'order.cancelled', checkout_id, id FROM cancelled
)
INSERT INTO order_events (order_id, checkout_id, user_id, type, status, actor_id, created_at)
SELECT id, checkout_id, user_id::integer, 'order.cancelled', status, $3, updated_at FROM cancelled
