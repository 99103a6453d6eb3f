-- destructive: which customers have been erased, and who wants to hear of it
UPDATE webhook_endpoints SET events = array_replace(events, 'user.erased', 'user.verified')
WHERE 'user.erased' = ANY (events);
ALTER TABLE webhook_endpoints
    DROP CONSTRAINT webhook_endpoints_events_known,
    ADD CONSTRAINT webhook_endpoints_events_known CHECK (cardinality(events) > 0 AND events <@ ARRAY[
        'all', 'order.created', 'order.paid', 'order.failed', 'order.cancelled', 'order.refunded', 'order.shipped',
        'order.delivered', 'product.low_stock', 'user.verified']::varchar[]);
DROP TABLE erased_customers;
