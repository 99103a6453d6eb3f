-- Checkouts with their lines and states in id order, for comparing with InventoryService. Primary key,
-- orders_one_per_product.
SELECT c.id AS checkout_id, c.status AS checkout_status, c.created_at, o.id AS order_id, o.product_id::integer,
    o.quantity, o.status AS order_status,
    EXISTS (SELECT FROM outbox b WHERE b.checkout_id = c.id
        AND b.topic IN ('checkout.paid', 'checkout.failed', 'order.cancelled')) AS is_in_flight
FROM (SELECT id, status, created_at FROM checkouts WHERE id > $1 ORDER BY id LIMIT $2) c
JOIN orders o ON o.checkout_id = c.id
ORDER BY c.id, o.id
