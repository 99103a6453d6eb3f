-- Orders whose history does not begin with their creation or does not end in their state; not those whose beginning was
-- let go by a rule of the configuration. Reads all events, by order_events_of_order or as they lie.
SELECT format('order %s is %s: %s events, first %s, last state %s', id, status, events,
    (SELECT type FROM order_events e WHERE e.order_id = wrong.id ORDER BY e.id LIMIT 1),
    (SELECT e.status FROM order_events e WHERE e.order_id = wrong.id ORDER BY e.id DESC LIMIT 1))
FROM (
    SELECT o.id, o.status, count(e.id) AS events
    FROM orders o LEFT JOIN order_events e ON e.order_id = o.id
    WHERE o.created_at >= coalesce((SELECT max(until) FROM partitions_let_go WHERE parent = 'order_events'), '-infinity')
    GROUP BY o.id
    HAVING min(e.id) IS DISTINCT FROM min(e.id) FILTER (WHERE e.type = 'order.created')
        OR max(e.id) IS DISTINCT FROM max(e.id) FILTER (WHERE e.status = o.status)
        OR count(e.id) = 0
) wrong
