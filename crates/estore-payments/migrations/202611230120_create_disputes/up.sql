-- Charges that a buyer's bank disputes, and cards that the gateway is still to forget.

CREATE TABLE disputes (
    -- The id of its booking, where it is lost.
    id UUID PRIMARY KEY,
    gateway VARCHAR NOT NULL,
    gateway_reference VARCHAR(255) NOT NULL CHECK (gateway_reference <> ''),
    checkout_id UUID NOT NULL REFERENCES checkouts(id),
    user_id INTEGER NOT NULL CHECK (user_id > 0),
    -- Cents.
    amount BIGINT NOT NULL CHECK (amount > 0),
    currency VARCHAR(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    reason VARCHAR(100) NOT NULL,
    state VARCHAR(8) NOT NULL CONSTRAINT disputes_state_known CHECK (state IN ('open', 'won', 'lost')),
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT disputes_once UNIQUE (gateway, gateway_reference),
    CONSTRAINT disputes_closed_at_end CHECK ((state = 'open') = (closed_at IS NULL))
);
CREATE INDEX disputes_of_checkout ON disputes (checkout_id);
CREATE INDEX disputes_open ON disputes (id) WHERE state = 'open';

ALTER TABLE ledger_transactions
    DROP CONSTRAINT ledger_transactions_kind_check,
    ADD CONSTRAINT ledger_transactions_kind_check CHECK (kind IN ('capture', 'refund', 'dispute'));
ALTER TABLE ledger_entries
    DROP CONSTRAINT ledger_entries_account_check,
    ADD CONSTRAINT ledger_entries_account_check CHECK (
        account IN ('customer_receivable', 'gateway_clearing', 'revenue', 'refunds', 'disputes'));
ALTER TABLE order_events
    DROP CONSTRAINT order_events_type_check,
    ADD CONSTRAINT order_events_type_check CHECK (type IN (
        'order.created', 'order.paid', 'order.failed', 'order.processing', 'order.shipped', 'order.delivered',
        'order.cancelled', 'order.refunded', 'order.refund_failed',
        'order.disputed', 'order.dispute_won', 'order.dispute_lost'));

-- A row goes when the gateway has forgotten the card.
CREATE TABLE unwanted_cards (
    gateway VARCHAR NOT NULL,
    gateway_token VARCHAR NOT NULL,
    user_id INTEGER NOT NULL CHECK (user_id > 0),
    attempts SMALLINT NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_attempt_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (gateway, gateway_token)
);
