-- Puts what InventoryService has not heard at the end of the outbox, as published; the rows themselves are then taken
-- off. Primary key.
INSERT INTO outbox (topic, checkout_id, order_id, is_published, created_at)
SELECT topic, checkout_id, order_id, true, created_at FROM outbox
WHERE id = ANY ($1::bigint[]) AND topic IN ('checkout.paid', 'checkout.failed', 'order.cancelled')
ORDER BY id
