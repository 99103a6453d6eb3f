-- The sandbox gateway's own books. They stand for another company: written in its own transactions only.

-- The key of the cards' fingerprints.
CREATE TABLE sandbox_fingerprint_key (
    singleton BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (singleton),
    key BYTEA NOT NULL CHECK (length(key) = 32)
);

-- A card as a token: what it will do when charged, and no number.
CREATE TABLE sandbox_tokens (
    token VARCHAR PRIMARY KEY,
    fingerprint VARCHAR NOT NULL UNIQUE,
    behaviour VARCHAR NOT NULL CHECK (behaviour IN ('approve', 'card_declined', 'insufficient_funds', 'unknown')),
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- A closed sale was asked about before it came, and can never be made.
CREATE TABLE sandbox_sales (
    key UUID PRIMARY KEY,
    state VARCHAR NOT NULL CHECK (state IN ('captured', 'card_declined', 'insufficient_funds', 'closed')),
    amount BIGINT NOT NULL CHECK (amount >= 0),
    refunded_amount BIGINT NOT NULL DEFAULT 0,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT sandbox_sales_refunded_within CHECK (
        refunded_amount BETWEEN 0 AND CASE state WHEN 'captured' THEN amount ELSE 0 END)
);

CREATE TABLE sandbox_refunds (
    key UUID PRIMARY KEY,
    sale_key UUID NOT NULL REFERENCES sandbox_sales(key),
    amount BIGINT NOT NULL CHECK (amount > 0),
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX sandbox_refunds_of_sale ON sandbox_refunds (sale_key);
