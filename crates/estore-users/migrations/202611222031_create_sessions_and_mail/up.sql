CREATE INDEX users_email_trigrams ON users USING gin (email gin_trgm_ops);
-- The last administrator is guarded by locking all of them.
CREATE INDEX users_admins ON users (id) WHERE is_admin;

CREATE TABLE user_roles (
    user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    role VARCHAR(32) NOT NULL CONSTRAINT user_roles_known CHECK (role IN ('staff')),
    granted_by INTEGER REFERENCES users(id) ON DELETE SET NULL,
    granted_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, role)
);
CREATE INDEX user_roles_granted_by ON user_roles (granted_by);

-- A session is a family of refresh tokens, each good for one exchange.
CREATE TABLE sessions (
    id UUID PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    user_agent VARCHAR(255),
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    last_used_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    expires_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ,
    end_reason VARCHAR(32)
        CONSTRAINT sessions_end_reason_known CHECK (end_reason IN ('logout', 'reuse', 'password', 'deactivated', 'erased')),
    CONSTRAINT sessions_end_explained CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
    CONSTRAINT sessions_times CHECK (expires_at > created_at)
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE refresh_tokens (
    token VARCHAR(64) PRIMARY KEY CONSTRAINT refresh_tokens_hashed CHECK (token ~ '^[0-9a-f]{64}$'),
    session_id UUID NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    expires_at TIMESTAMPTZ NOT NULL,
    used_at TIMESTAMPTZ,
    CONSTRAINT refresh_tokens_times CHECK (expires_at > created_at)
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);
CREATE UNIQUE INDEX refresh_tokens_one_unused ON refresh_tokens (session_id) WHERE used_at IS NULL;
CREATE INDEX refresh_tokens_expiry ON refresh_tokens (expires_at);

CREATE TABLE password_reset_tokens (
    token VARCHAR(64) PRIMARY KEY CONSTRAINT password_reset_tokens_hashed CHECK (token ~ '^[0-9a-f]{64}$'),
    user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    expires_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT password_reset_tokens_times CHECK (expires_at > created_at)
);
CREATE INDEX password_reset_tokens_user ON password_reset_tokens (user_id);

-- At most one change of address waits for its proof.
CREATE TABLE email_changes (
    user_id INTEGER PRIMARY KEY REFERENCES users(id) ON DELETE CASCADE,
    token VARCHAR(64) NOT NULL CONSTRAINT email_changes_hashed CHECK (token ~ '^[0-9a-f]{64}$'),
    new_email VARCHAR(255) NOT NULL
        CONSTRAINT email_changes_form CHECK (new_email = lower(new_email) AND new_email LIKE '_%@_%' AND new_email !~ '\s'),
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    expires_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT email_changes_token_once UNIQUE (token),
    CONSTRAINT email_changes_times CHECK (expires_at > created_at)
);

-- A letter is written in the transaction of its cause and delivered afterwards, at least once.
CREATE TABLE mails (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind VARCHAR(32) NOT NULL CONSTRAINT mails_kind_known CHECK (kind IN (
        'verification', 'already_registered', 'password_reset', 'password_changed',
        'email_change', 'email_change_asked', 'email_changed', 'erased')),
    recipient VARCHAR(255) NOT NULL CONSTRAINT mails_recipient_form CHECK (recipient LIKE '_%@_%'),
    subject VARCHAR(255) NOT NULL,
    -- Holds a token in clear until it is delivered; empty afterwards.
    body TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    attempts INTEGER NOT NULL DEFAULT 0 CONSTRAINT mails_attempts_counted CHECK (attempts >= 0),
    next_attempt_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    sent_at TIMESTAMPTZ,
    given_up_at TIMESTAMPTZ,
    last_error VARCHAR(500),
    CONSTRAINT mails_one_end CHECK (sent_at IS NULL OR given_up_at IS NULL),
    CONSTRAINT mails_forgotten CHECK ((sent_at IS NULL AND given_up_at IS NULL) = (body <> ''))
);
CREATE INDEX mails_waiting ON mails (next_attempt_at) WHERE sent_at IS NULL AND given_up_at IS NULL;
CREATE INDEX mails_recent ON mails (recipient, created_at);
CREATE INDEX mails_created ON mails (created_at);

-- Rows of an import under way; nothing stays here after its transaction.
CREATE UNLOGGED TABLE customer_imports (
    import_id UUID NOT NULL,
    line BIGINT NOT NULL,
    email VARCHAR(255) NOT NULL,
    hashed_password VARCHAR(255) NOT NULL,
    is_verified BOOLEAN NOT NULL,
    is_active BOOLEAN NOT NULL,
    is_admin BOOLEAN NOT NULL,
    PRIMARY KEY (import_id, line)
);

-- People who may look at everything else may not look at credentials or into letters.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'estore_readonly') THEN
        REVOKE SELECT ON users, mails, customer_imports FROM estore_readonly;
        GRANT SELECT (id, email, is_active, is_verified, is_admin, created_at, updated_at) ON users TO estore_readonly;
        GRANT SELECT (id, kind, recipient, created_at, attempts, next_attempt_at, sent_at, given_up_at, last_error)
            ON mails TO estore_readonly;
    END IF;
END $$;
