-- Log-ins that failed of late, by the keyed hash of whom or whence: of an account's address, whether or not there is
-- one, of a network address, of both together, and of a session that was asked for its password.
CREATE TABLE log_in_failures (
    subject VARCHAR(64) PRIMARY KEY CONSTRAINT log_in_failures_hashed CHECK (subject ~ '^[0-9a-f]{64}$'),
    failures INTEGER NOT NULL CONSTRAINT log_in_failures_counted CHECK (failures > 0),
    last_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE INDEX log_in_failures_age ON log_in_failures (last_at);
ALTER TABLE log_in_failures ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY whole ON log_in_failures TO estore_users_owner, estore_users_writer USING (true);

-- Whence a session began, as the same hash: its owner is known there.
ALTER TABLE sessions
    ADD COLUMN address_key VARCHAR(64) CONSTRAINT sessions_address_hashed CHECK (address_key ~ '^[0-9a-f]{64}$');
