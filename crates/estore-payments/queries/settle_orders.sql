-- Takes the orders of settled checkouts from pending to their state, with the event. Index orders_one_per_product.
-- The state is compared as an expression, or else idx_orders_status is read: every order was pending once, and its
-- entries of that time stay until the next vacuum.
WITH settled AS (
    UPDATE orders o
    SET status = a.status, updated_at = a.settled_at,
        captured_amount = CASE a.status WHEN 'paid' THEN o.total_amount ELSE 0 END
    FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::integer[], $5::text[])
        AS a (checkout_id, status, settled_at, actor_id, note)
    WHERE o.checkout_id = a.checkout_id AND o.status || '' = 'pending'
    RETURNING o.id, o.checkout_id, o.user_id, o.status, o.captured_amount, o.updated_at, a.actor_id, a.note
)
INSERT INTO order_events (order_id, checkout_id, user_id, type, status, actor_id, amount, note, created_at)
SELECT id, checkout_id, user_id::integer, 'order.' || status, status, actor_id, nullif(captured_amount, 0), note,
    updated_at
FROM settled ORDER BY id
