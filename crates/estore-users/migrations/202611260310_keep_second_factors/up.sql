-- The second factor of an account: a secret shared with the owner's device, sealed under a key that is not here, and the
-- last time step whose code was taken, so that none is taken twice.
CREATE TABLE totp_factors (
    user_id INTEGER PRIMARY KEY REFERENCES users(id) ON DELETE CASCADE,
    secret BYTEA NOT NULL CONSTRAINT totp_factors_sealed CHECK (octet_length(secret) BETWEEN 40 AND 255),
    last_step BIGINT NOT NULL DEFAULT 0,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    confirmed_at TIMESTAMPTZ
);
-- What does when the device is lost; each once.
CREATE TABLE recovery_codes (
    user_id INTEGER NOT NULL REFERENCES totp_factors(user_id) ON DELETE CASCADE,
    code VARCHAR(64) NOT NULL CONSTRAINT recovery_codes_hashed CHECK (code ~ '^[0-9a-f]{64}$'),
    PRIMARY KEY (user_id, code)
);
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['totp_factors', 'recovery_codes'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY whole ON %I TO estore_users_owner, estore_users_writer USING (true)', name);
    END LOOP;
END $$;

-- When the owner last proved who they are; a session that goes on proves nothing new.
ALTER TABLE sessions ADD COLUMN authenticated_at TIMESTAMPTZ NOT NULL DEFAULT now();
UPDATE sessions SET authenticated_at = created_at;

ALTER TABLE mails
    DROP CONSTRAINT mails_kind_known,
    ADD CONSTRAINT mails_kind_known CHECK (kind IN (
        'verification', 'already_registered', 'password_reset', 'password_changed',
        'email_change', 'email_change_asked', 'email_changed', 'erased', 'totp_on', 'totp_off', 'recovery_code_used',
        'order_paid', 'order_shipped', 'order_refunded'));
