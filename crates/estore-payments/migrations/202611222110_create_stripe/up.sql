-- What is known of Stripe's side, and checkouts that wait for a person: the buyer's bank, or the shop's staff.

CREATE TABLE stripe_customers (
    user_id INTEGER PRIMARY KEY CHECK (user_id > 0),
    customer VARCHAR NOT NULL UNIQUE CHECK (customer ~ '^cus_'),
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- The one intent that may be confirmed for a charge, noted before it is. No intent: the charge was closed before
-- it had one, and never gets one.
CREATE TABLE stripe_intents (
    key UUID PRIMARY KEY,
    intent VARCHAR UNIQUE CHECK (intent ~ '^(pi_|free$)'),
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- Events of Stripe's webhook that have had their effect.
CREATE TABLE stripe_events (
    id VARCHAR PRIMARY KEY CHECK (id ~ '^evt_'),
    type VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    handled_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX stripe_events_age ON stripe_events USING brin (handled_at);

ALTER TABLE checkouts
    ADD COLUMN waits_for VARCHAR CHECK (waits_for IN ('buyer', 'staff')),
    ADD CONSTRAINT checkouts_waits_while_pending CHECK (waits_for IS NULL OR status = 'pending');
