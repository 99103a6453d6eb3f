-- What happened: the double-entry ledger, the orders' history, and what is still to be told.

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed or removed', TG_TABLE_NAME
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_append_only', TABLE = TG_TABLE_NAME;
END $$;

-- The id is that of the charge (its checkout) or of the refund, so neither is booked twice.
CREATE TABLE ledger_transactions (
    id UUID PRIMARY KEY,
    kind VARCHAR NOT NULL CHECK (kind IN ('capture', 'refund')),
    checkout_id UUID NOT NULL REFERENCES checkouts(id),
    currency VARCHAR(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT ledger_transactions_capture_is_checkout CHECK ((kind = 'capture') = (id = checkout_id))
);
CREATE INDEX ledger_transactions_of_checkout ON ledger_transactions (checkout_id) WHERE kind = 'refund';

CREATE TABLE ledger_entries (
    transaction_id UUID NOT NULL REFERENCES ledger_transactions(id),
    line SMALLINT NOT NULL CHECK (line BETWEEN 1 AND 4),
    account VARCHAR NOT NULL CHECK (account IN ('customer_receivable', 'gateway_clearing', 'revenue', 'refunds')),
    user_id INTEGER NOT NULL CHECK (user_id > 0),
    -- Debits are positive, credits negative; cents.
    amount BIGINT NOT NULL CHECK (amount <> 0),
    PRIMARY KEY (transaction_id, line)
);

-- Each statement must add balanced entries, which is stricter than a balance at commit and needs one look a
-- statement instead of one a row.
CREATE FUNCTION refuse_unbalanced_entries() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE unbalanced uuid;
BEGIN
    SELECT transaction_id INTO unbalanced FROM added GROUP BY transaction_id HAVING sum(amount) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the entries of ledger transaction % do not sum to zero', unbalanced
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entries_balanced', TABLE = 'ledger_entries';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_entries_balanced AFTER INSERT ON ledger_entries
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION refuse_unbalanced_entries();
CREATE TRIGGER ledger_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_transactions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transactions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The history of each order. Its ids grow with each change of one order.
CREATE TABLE order_events (
    id BIGSERIAL,
    order_id INTEGER NOT NULL,
    checkout_id UUID NOT NULL,
    user_id INTEGER NOT NULL CHECK (user_id > 0),
    type VARCHAR NOT NULL CHECK (type IN (
        'order.created', 'order.paid', 'order.failed', 'order.processing', 'order.shipped', 'order.delivered',
        'order.cancelled', 'order.refunded', 'order.refund_failed')),
    -- The order's state after the event.
    status VARCHAR NOT NULL,
    -- Who caused it; none where the shop itself did.
    actor_id INTEGER CHECK (actor_id > 0),
    -- Cents that moved; none where none did.
    amount INTEGER CHECK (amount > 0),
    note VARCHAR(500),
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);
CREATE INDEX order_events_of_order ON order_events (order_id, id);
CREATE TABLE order_events_default PARTITION OF order_events DEFAULT;
CREATE TRIGGER order_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON order_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Makes the partitions of this month and the coming ones; runs as its owner because the service owns no table.
CREATE FUNCTION make_order_event_partitions(months_ahead integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    month_start timestamptz;
    partition_name text;
BEGIN
    FOR ahead IN 0 .. least(greatest(months_ahead, 0), 24) LOOP
        month_start := date_trunc('month', now(), 'UTC') + make_interval(months => ahead);
        partition_name := 'order_events_' || to_char(month_start AT TIME ZONE 'UTC', 'YYYY_MM');
        CONTINUE WHEN to_regclass(partition_name) IS NOT NULL;
        EXECUTE format('CREATE TABLE %I PARTITION OF order_events FOR VALUES FROM (%L) TO (%L)',
            partition_name, month_start, month_start + interval '1 month');
    END LOOP;
END $$;

-- What the neighbours must still be told; a row goes when it has been told.
CREATE TABLE outbox (
    id BIGSERIAL PRIMARY KEY,
    topic VARCHAR NOT NULL CHECK (topic IN ('checkout.paid', 'checkout.failed', 'order.cancelled')),
    checkout_id UUID NOT NULL,
    order_id INTEGER,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT outbox_order_named CHECK ((topic LIKE 'order.%') = (order_id IS NOT NULL))
);

-- Which process does a job that only one may do at a time.
CREATE TABLE job_leases (
    name VARCHAR PRIMARY KEY,
    holder UUID NOT NULL,
    held_until TIMESTAMP WITH TIME ZONE NOT NULL
);
