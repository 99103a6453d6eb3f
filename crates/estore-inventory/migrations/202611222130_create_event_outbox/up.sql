-- What is still to be told of stock; a row is written in the statement of its change and goes when it has been told.
CREATE TABLE event_outbox (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id UUID NOT NULL DEFAULT gen_random_uuid(),
    type VARCHAR(32) NOT NULL CONSTRAINT event_outbox_type_known CHECK (type IN ('product.low_stock')),
    subject VARCHAR(64) NOT NULL,
    data JSONB NOT NULL CONSTRAINT event_outbox_data_is_object CHECK (jsonb_typeof(data) = 'object'),
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);
