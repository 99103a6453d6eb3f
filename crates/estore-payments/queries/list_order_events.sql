-- A page of an order's history, oldest first. Index order_events_of_order.
SELECT id, type, status, actor_id, amount, note, created_at
FROM order_events WHERE order_id = $1 AND id > $2 ORDER BY id LIMIT $3
