-- Orders whose history does not begin with their creation or does not end in their state. Reads all events.
SELECT format('order %s is %s: %s events, first %s, last state %s', o.id, o.status, coalesce(e.count, 0),
    e.first_type, e.last_status)
FROM orders o
LEFT JOIN (
    SELECT order_id, count(*), (array_agg(type ORDER BY id))[1] AS first_type,
        (array_agg(status ORDER BY id DESC))[1] AS last_status
    FROM order_events GROUP BY order_id
) e ON e.order_id = o.id
WHERE e.first_type IS DISTINCT FROM 'order.created' OR e.last_status IS DISTINCT FROM o.status
