-- What has been paid out of an order so far. Index refunds_of_order.
SELECT coalesce(sum(amount), 0)::bigint AS amount FROM refunds WHERE order_id = $1 AND state = 'succeeded'
