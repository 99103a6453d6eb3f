-- Passkeys: public keys of credentials that people's devices keep for this shop.
CREATE TABLE passkeys (
    id UUID PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    name VARCHAR(100) NOT NULL CONSTRAINT passkeys_named CHECK (name <> ''),
    credential_id BYTEA NOT NULL
        CONSTRAINT passkeys_credential_length CHECK (octet_length(credential_id) BETWEEN 16 AND 1023),
    public_key BYTEA NOT NULL CONSTRAINT passkeys_key_length CHECK (octet_length(public_key) BETWEEN 32 AND 2048),
    -- Random, and nothing else: authenticators keep it in place of the account's number.
    user_handle BYTEA NOT NULL CONSTRAINT passkeys_handle_length CHECK (octet_length(user_handle) BETWEEN 16 AND 64),
    sign_count BIGINT NOT NULL CONSTRAINT passkeys_counted CHECK (sign_count BETWEEN 0 AND 4294967295),
    transports TEXT[] NOT NULL DEFAULT '{}' CONSTRAINT passkeys_transports_few CHECK (cardinality(transports) <= 8),
    -- Whether log-ins by password ask for it, or for what else does in its place.
    is_second_step BOOLEAN NOT NULL DEFAULT false,
    is_backup_eligible BOOLEAN NOT NULL,
    is_backed_up BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    last_used_at TIMESTAMPTZ,
    -- When its counter went backwards: there may be a copy, and neither does any more.
    suspected_at TIMESTAMPTZ,
    CONSTRAINT passkeys_credential_once UNIQUE (credential_id),
    CONSTRAINT passkeys_backed_up_if_eligible CHECK (is_backup_eligible OR NOT is_backed_up)
);
CREATE INDEX passkeys_user ON passkeys (user_id, created_at);

-- What a passkey is asked to sign, as a hash: good once and for minutes, for one purpose, and for one session where
-- somebody is logged in.
CREATE TABLE passkey_challenges (
    challenge VARCHAR(64) PRIMARY KEY CONSTRAINT passkey_challenges_hashed CHECK (challenge ~ '^[0-9a-f]{64}$'),
    purpose VARCHAR(16) NOT NULL
        CONSTRAINT passkey_challenges_purpose_known CHECK (purpose IN ('registration', 'log_in', 'second_step', 'step_up')),
    session_id UUID REFERENCES sessions(id) ON DELETE CASCADE,
    -- Of the passkey that is to be made.
    user_handle BYTEA,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    expires_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT passkey_challenges_one_a_session UNIQUE (session_id, purpose),
    CONSTRAINT passkey_challenges_bound CHECK ((session_id IS NULL) = (purpose IN ('log_in', 'second_step'))),
    CONSTRAINT passkey_challenges_handle CHECK ((user_handle IS NOT NULL) = (purpose = 'registration')),
    CONSTRAINT passkey_challenges_times CHECK (expires_at > created_at)
);
CREATE INDEX passkey_challenges_expiry ON passkey_challenges (expires_at);
CREATE INDEX passkey_challenges_of_nobody ON passkey_challenges (expires_at) WHERE session_id IS NULL;

-- Recovery codes stand for any second step now.
ALTER TABLE recovery_codes
    DROP CONSTRAINT recovery_codes_user_id_fkey,
    ADD CONSTRAINT recovery_codes_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['passkeys', 'passkey_challenges'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY whole ON %I TO estore_users_owner, estore_users_writer USING (true)', name);
    END LOOP;
END $$;
CREATE POLICY own ON passkeys FOR SELECT TO estore_users_app, estore_readonly
    USING (user_id = nullif(current_setting('estore.user_id', true), '')::integer);
CREATE POLICY admin ON passkeys FOR SELECT TO estore_readonly USING (current_setting('estore.role', true) = 'admin');
GRANT SELECT (id, user_id, name, transports, is_second_step, is_backed_up, created_at, last_used_at, suspected_at)
    ON passkeys TO estore_users_app, estore_readonly;

-- What changes whenever one is used is left out.
SELECT audit_changes_of('passkeys', 'id', 'name,credential_id,public_key,user_handle', 'sign_count,last_used_at,is_backed_up');

ALTER TABLE mails
    DROP CONSTRAINT mails_kind_known,
    ADD CONSTRAINT mails_kind_known CHECK (kind IN (
        'verification', 'already_registered', 'password_reset', 'password_changed',
        'email_change', 'email_change_asked', 'email_changed', 'erased', 'totp_on', 'totp_off', 'recovery_code_used',
        'passkey_added', 'passkey_removed', 'passkey_suspected',
        'order_paid', 'order_shipped', 'order_refunded'));
