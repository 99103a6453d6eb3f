-- What is still to be told, oldest first, with the units of cancelled orders. Primary keys.
SELECT b.id, b.topic, b.checkout_id, b.order_id, o.product_id::integer, o.quantity
FROM outbox b LEFT JOIN orders o ON o.id = b.order_id
ORDER BY b.id LIMIT $1
