-- no-transaction
-- Deliveries that were given up are few among those that ended: staff and the alerts ask how many there are.
CREATE INDEX CONCURRENTLY webhook_deliveries_dead ON webhook_deliveries (endpoint_id) WHERE state = 'dead';
