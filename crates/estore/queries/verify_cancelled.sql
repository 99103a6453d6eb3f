-- Every paid and then cancelled order and whether inventory must still be told of it, in order. Primary key.
SELECT o.id, o.product_id::int AS product_id, o.quantity,
       EXISTS (SELECT FROM outbox t WHERE t.checkout_id = o.checkout_id
           AND t.topic IN ('checkout.paid', 'checkout.failed', 'order.cancelled')) AS untold
FROM orders o
WHERE o.status = 'cancelled' AND o.captured_amount > 0
ORDER BY o.id
