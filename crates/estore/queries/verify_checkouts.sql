-- Every checkout's lines, and whether inventory must still be told of it, in checkout and product order. Primary keys.
SELECT c.id, c.status, EXISTS (SELECT FROM outbox t WHERE t.checkout_id = c.id
           AND t.topic IN ('checkout.paid', 'checkout.failed', 'order.cancelled')) AS untold,
       o.product_id::int AS product_id, o.quantity
FROM checkouts c LEFT JOIN orders o ON o.checkout_id = c.id
ORDER BY c.id, o.product_id::int
