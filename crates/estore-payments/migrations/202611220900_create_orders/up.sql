-- Payment methods, orders and what makes an order exactly one: checkouts, keys, charges, refunds.

CREATE TABLE payment_methods (
    id SERIAL PRIMARY KEY,
    user_id VARCHAR NOT NULL,
    payment_type VARCHAR NOT NULL,
    details JSONB NOT NULL,
    is_active BOOLEAN DEFAULT TRUE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP WITH TIME ZONE
);
CREATE INDEX idx_payment_methods_user ON payment_methods(user_id);
CREATE INDEX idx_payment_methods_active ON payment_methods(is_active);
CREATE INDEX idx_payment_methods_details ON payment_methods USING gin (details);
CREATE TABLE orders (
    id SERIAL PRIMARY KEY,
    user_id VARCHAR NOT NULL,
    product_id VARCHAR NOT NULL,
    quantity INTEGER NOT NULL,
    total_amount INTEGER NOT NULL,
    status VARCHAR NOT NULL DEFAULT 'pending',
    payment_method_id INTEGER REFERENCES payment_methods(id),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP WITH TIME ZONE,
    metadata JSONB DEFAULT '{}'::jsonb,
    CONSTRAINT fk_payment_method FOREIGN KEY(payment_method_id) REFERENCES payment_methods(id)
);
CREATE INDEX idx_orders_user ON orders(user_id);
CREATE INDEX idx_orders_status ON orders(status);
CREATE INDEX idx_orders_metadata ON orders USING gin (metadata);

-- The gateway's token stands for the card; of the card itself only brand, last four and expiry are known here.
ALTER TABLE payment_methods
    ADD COLUMN gateway VARCHAR NOT NULL,
    ADD COLUMN gateway_token VARCHAR NOT NULL,
    ADD COLUMN fingerprint VARCHAR NOT NULL,
    ADD CONSTRAINT payment_methods_user_id_integer CHECK (user_id ~ '^[1-9][0-9]{0,9}$'),
    ADD CONSTRAINT payment_methods_type_known CHECK (payment_type IN ('card')),
    ADD CONSTRAINT payment_methods_details_safe CHECK (
        jsonb_typeof(details) = 'object'
        AND details - ARRAY['brand', 'last4', 'expiry_month', 'expiry_year'] = '{}'::jsonb
        AND length(details ->> 'last4') = 4
    );
CREATE UNIQUE INDEX payment_methods_one_per_card ON payment_methods (user_id, gateway, fingerprint) WHERE is_active;

CREATE TABLE checkouts (
    id UUID PRIMARY KEY,
    user_id INTEGER NOT NULL CHECK (user_id > 0),
    idempotency_key VARCHAR(255) NOT NULL CHECK (idempotency_key <> ''),
    operation VARCHAR NOT NULL CHECK (operation IN ('checkout', 'order')),
    status VARCHAR NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'paid', 'failed')),
    total_amount BIGINT NOT NULL CHECK (total_amount >= 0),
    currency VARCHAR(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    payment_method_id INTEGER NOT NULL REFERENCES payment_methods(id),
    metadata JSONB NOT NULL DEFAULT '{}'::jsonb CHECK (jsonb_typeof(metadata) = 'object'),
    failure VARCHAR,
    attempts SMALLINT NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_attempt_at TIMESTAMP WITH TIME ZONE,
    needs_attention_since TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT checkouts_failure_told CHECK ((status = 'failed') = (failure IS NOT NULL)),
    CONSTRAINT checkouts_pending_is_resumed CHECK ((status = 'pending') = (next_attempt_at IS NOT NULL))
);
CREATE INDEX checkouts_pending ON checkouts (next_attempt_at) WHERE status = 'pending';

ALTER TABLE orders
    ADD COLUMN checkout_id UUID NOT NULL REFERENCES checkouts(id),
    ADD COLUMN unit_price INTEGER NOT NULL CHECK (unit_price >= 0),
    ADD COLUMN currency VARCHAR(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    ADD COLUMN captured_amount INTEGER NOT NULL DEFAULT 0,
    -- What has been refunded or is on its way: a refund reserves its amount before the gateway is asked.
    ADD COLUMN refunded_amount INTEGER NOT NULL DEFAULT 0,
    ADD CONSTRAINT orders_user_id_integer CHECK (user_id ~ '^[1-9][0-9]{0,9}$'),
    ADD CONSTRAINT orders_product_id_integer CHECK (product_id ~ '^[1-9][0-9]{0,9}$'),
    ADD CONSTRAINT orders_quantity_positive CHECK (quantity > 0),
    ADD CONSTRAINT orders_total_is_price_times_quantity CHECK (total_amount = unit_price::bigint * quantity),
    ADD CONSTRAINT orders_captured_all_or_nothing CHECK (captured_amount IN (0, total_amount)),
    ADD CONSTRAINT orders_refunded_within_captured CHECK (refunded_amount BETWEEN 0 AND captured_amount),
    ADD CONSTRAINT orders_unpaid_holds_no_money
        CHECK (status NOT IN ('pending', 'failed') OR captured_amount = 0),
    ADD CONSTRAINT orders_status_known CHECK (status IN (
        'pending', 'paid', 'processing', 'shipped', 'delivered',
        'failed', 'cancelled', 'partially_refunded', 'refunded'));
CREATE UNIQUE INDEX orders_one_per_product ON orders (checkout_id, product_id);
CREATE INDEX orders_recent_of_user ON orders (user_id, id);

-- Order states change only along these steps, whoever asks. The step is judged in WHEN, so a legal one costs no call.
CREATE FUNCTION refuse_order_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'order % may not go from % to %', OLD.id, OLD.status, NEW.status
        USING ERRCODE = 'check_violation', CONSTRAINT = 'orders_status_step', TABLE = 'orders';
END $$;
CREATE TRIGGER orders_status_step BEFORE UPDATE OF status ON orders FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status AND (OLD.status::text, NEW.status::text) NOT IN (
        ('pending', 'paid'), ('pending', 'failed'), ('pending', 'cancelled'),
        ('paid', 'processing'), ('paid', 'cancelled'), ('paid', 'partially_refunded'), ('paid', 'refunded'),
        ('processing', 'shipped'), ('processing', 'cancelled'),
        ('processing', 'partially_refunded'), ('processing', 'refunded'),
        ('shipped', 'delivered'), ('shipped', 'partially_refunded'), ('shipped', 'refunded'),
        ('delivered', 'partially_refunded'), ('delivered', 'refunded'),
        ('partially_refunded', 'refunded')))
    EXECUTE FUNCTION refuse_order_step();

-- A key belongs to one request of one user. Its checkout or refund may be written only while this row stands
-- and says running: whoever deletes the row has made that checkout impossible.
CREATE TABLE idempotency_keys (
    user_id INTEGER NOT NULL CHECK (user_id > 0),
    key VARCHAR(255) NOT NULL CHECK (key <> ''),
    request_hash BYTEA NOT NULL CHECK (length(request_hash) = 32),
    resource_id UUID NOT NULL UNIQUE,
    state VARCHAR NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'finished')),
    answer_status SMALLINT CHECK (answer_status BETWEEN 200 AND 499),
    answer_body BYTEA,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    finished_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (user_id, key),
    CONSTRAINT idempotency_keys_finished_has_answer CHECK (
        (state = 'finished') = (answer_status IS NOT NULL AND answer_body IS NOT NULL AND finished_at IS NOT NULL))
);
CREATE INDEX idempotency_keys_running ON idempotency_keys (created_at) WHERE state = 'running';
CREATE INDEX idempotency_keys_age ON idempotency_keys USING brin (created_at);

-- The intent to charge, written before the gateway is asked, and what became of it.
-- A checkout has one charge; its id is the key that the gateway knows the charge by.
CREATE TABLE charges (
    checkout_id UUID PRIMARY KEY REFERENCES checkouts(id),
    user_id INTEGER NOT NULL CHECK (user_id > 0),
    amount BIGINT NOT NULL CHECK (amount >= 0),
    currency VARCHAR(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    gateway VARCHAR NOT NULL,
    gateway_token VARCHAR NOT NULL,
    state VARCHAR NOT NULL DEFAULT 'intended' CHECK (state IN ('intended', 'captured', 'declined', 'not_made')),
    gateway_reference VARCHAR,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    settled_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT charges_captured_has_reference CHECK (state <> 'captured' OR gateway_reference IS NOT NULL),
    CONSTRAINT charges_settled_at_end CHECK ((state = 'intended') = (settled_at IS NULL))
);

-- A refund is written before the gateway is asked; its id is the key that the gateway knows it by.
CREATE TABLE refunds (
    id UUID PRIMARY KEY,
    order_id INTEGER NOT NULL REFERENCES orders(id),
    checkout_id UUID NOT NULL REFERENCES checkouts(id),
    user_id INTEGER NOT NULL CHECK (user_id > 0),
    kind VARCHAR NOT NULL CHECK (kind IN ('refund', 'cancel')),
    amount INTEGER NOT NULL CHECK (amount > 0),
    currency VARCHAR(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    reason VARCHAR(500) NOT NULL,
    requested_by INTEGER NOT NULL CHECK (requested_by > 0),
    idempotency_key VARCHAR(255),
    state VARCHAR NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'succeeded', 'failed')),
    gateway_reference VARCHAR,
    failure VARCHAR,
    attempts SMALLINT NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_attempt_at TIMESTAMP WITH TIME ZONE,
    needs_attention_since TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT refunds_pending_is_resumed CHECK ((state = 'pending') = (next_attempt_at IS NOT NULL)),
    CONSTRAINT refunds_failure_told CHECK ((state = 'failed') = (failure IS NOT NULL))
);
CREATE INDEX refunds_of_order ON refunds (order_id);
CREATE UNIQUE INDEX refunds_one_per_cancel ON refunds (order_id) WHERE kind = 'cancel';
CREATE INDEX refunds_pending ON refunds (next_attempt_at) WHERE state = 'pending';
