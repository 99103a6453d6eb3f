-- Events go out: every order event is told in the outbox, and each endpoint has its deliveries.

ALTER TABLE outbox
    DROP CONSTRAINT outbox_topic_check,
    -- The event in the order's history, where its type alone does not name it.
    ADD COLUMN event_id BIGINT,
    -- Told to everybody but InventoryService, which is away.
    ADD COLUMN is_published BOOLEAN NOT NULL DEFAULT false,
    ADD CONSTRAINT outbox_topic_check CHECK (topic IN (
        'checkout.created', 'checkout.paid', 'checkout.failed',
        'order.cancelled', 'order.shipped', 'order.delivered', 'order.refunded')),
    ADD CONSTRAINT outbox_event_named CHECK (topic <> 'order.refunded' OR event_id IS NOT NULL);

CREATE TABLE webhook_endpoints (
    -- The signing secret is derived from it and the key file; no row holds a secret.
    id UUID PRIMARY KEY,
    url VARCHAR(2048) NOT NULL CONSTRAINT webhook_endpoints_url_web CHECK (url ~ '^https?://[^/@]'),
    events VARCHAR[] NOT NULL,
    description VARCHAR(255),
    is_active BOOLEAN NOT NULL DEFAULT true,
    created_by INTEGER NOT NULL CHECK (created_by > 0),
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT webhook_endpoints_events_known CHECK (cardinality(events) > 0 AND events <@ ARRAY[
        'all', 'order.created', 'order.paid', 'order.failed', 'order.cancelled', 'order.refunded', 'order.shipped',
        'order.delivered', 'product.low_stock', 'user.verified']::varchar[])
);

-- One event on its way to one endpoint. Of the same subject (an order, a user, a product) one is pending at a time;
-- later ones wait until it is delivered or dead.
CREATE TABLE webhook_deliveries (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    endpoint_id UUID NOT NULL REFERENCES webhook_endpoints(id),
    event_id UUID NOT NULL,
    type VARCHAR(32) NOT NULL CHECK (type ~ '^[a-z]+\.[a-z_]+$'),
    subject VARCHAR(64) NOT NULL CHECK (subject <> ''),
    payload JSONB NOT NULL CHECK (jsonb_typeof(payload) = 'object'),
    state VARCHAR(16) NOT NULL DEFAULT 'pending'
        CONSTRAINT webhook_deliveries_state_known CHECK (state IN ('waiting', 'pending', 'delivered', 'dead')),
    attempts SMALLINT NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_attempt_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP,
    last_attempt_at TIMESTAMP WITH TIME ZONE,
    last_status SMALLINT CHECK (last_status BETWEEN 100 AND 999),
    last_error VARCHAR(500),
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT webhook_deliveries_once UNIQUE (endpoint_id, event_id),
    CONSTRAINT webhook_deliveries_pending_is_tried CHECK ((state = 'pending') = (next_attempt_at IS NOT NULL)),
    CONSTRAINT webhook_deliveries_ended CHECK ((state IN ('delivered', 'dead')) = (ended_at IS NOT NULL))
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint_id, next_attempt_at) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_open ON webhook_deliveries (endpoint_id, subject, id)
    WHERE state IN ('waiting', 'pending');
CREATE INDEX webhook_deliveries_of_endpoint ON webhook_deliveries (endpoint_id, id);
CREATE INDEX webhook_deliveries_ended_at ON webhook_deliveries (ended_at) WHERE ended_at IS NOT NULL;
