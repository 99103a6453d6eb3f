-- What buyers are still to be told of by mail. UserService knows their addresses; a row goes when it has been told.
CREATE TABLE order_notices (
    event_id UUID PRIMARY KEY,
    kind VARCHAR(16) NOT NULL CONSTRAINT order_notices_kind_known CHECK (kind IN ('paid', 'shipped', 'refunded')),
    user_id INTEGER NOT NULL CHECK (user_id > 0),
    orders INTEGER[] NOT NULL CHECK (cardinality(orders) > 0),
    amount BIGINT NOT NULL CHECK (amount >= 0),
    currency VARCHAR(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);
