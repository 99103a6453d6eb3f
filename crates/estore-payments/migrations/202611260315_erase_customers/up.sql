-- Customers whose accounts have been erased: nothing personal of theirs is kept here from then on.
CREATE TABLE erased_customers (
    user_id INTEGER PRIMARY KEY CHECK (user_id > 0),
    erased_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX erased_customers_age ON erased_customers (erased_at);
ALTER TABLE erased_customers ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY whole ON erased_customers TO estore_payments_owner, estore_payments_writer USING (true);

ALTER TABLE webhook_endpoints
    DROP CONSTRAINT webhook_endpoints_events_known,
    ADD CONSTRAINT webhook_endpoints_events_known CHECK (cardinality(events) > 0 AND events <@ ARRAY[
        'all', 'order.created', 'order.paid', 'order.failed', 'order.cancelled', 'order.refunded', 'order.shipped',
        'order.delivered', 'product.low_stock', 'user.verified', 'user.erased']::varchar[]);
