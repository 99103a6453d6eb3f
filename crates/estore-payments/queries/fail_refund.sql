-- The gateway refused a locked refund: its amount is free again. Primary keys.
WITH refused AS (
    UPDATE refunds SET state = 'failed', failure = $2, next_attempt_at = NULL,
        needs_attention_since = CASE kind WHEN 'cancel' THEN now() END, updated_at = $3
    WHERE id = $1
    RETURNING order_id, checkout_id, user_id, amount, requested_by
), freed AS (
    UPDATE orders o SET refunded_amount = o.refunded_amount - r.amount, updated_at = $3
    FROM refused r WHERE o.id = r.order_id
    RETURNING o.id, o.status
)
INSERT INTO order_events (order_id, checkout_id, user_id, type, status, actor_id, amount, created_at)
SELECT r.order_id, r.checkout_id, r.user_id, 'order.refund_failed', f.status, r.requested_by, r.amount, $3
FROM refused r JOIN freed f ON f.id = r.order_id
