-- What buyers are still to be told of, in the order of the checkouts' and events' ids. Primary key.
SELECT event_id, kind, user_id, orders, amount, currency FROM order_notices ORDER BY event_id LIMIT $1
