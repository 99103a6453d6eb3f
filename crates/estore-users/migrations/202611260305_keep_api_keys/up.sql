-- Keys of the shop's programs. Of the key itself there is a hash, and what it begins with, so that people know it again.
CREATE TABLE api_keys (
    id UUID PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    name VARCHAR(100) NOT NULL CONSTRAINT api_keys_named CHECK (name <> ''),
    key_hash VARCHAR(64) NOT NULL CONSTRAINT api_keys_hashed CHECK (key_hash ~ '^[0-9a-f]{64}$'),
    hint VARCHAR(24) NOT NULL,
    scopes TEXT[] NOT NULL CONSTRAINT api_keys_scopes_known CHECK (
        cardinality(scopes) > 0 AND scopes <@ ARRAY['catalogue', 'orders', 'refunds', 'users', 'operations']),
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    expires_at TIMESTAMPTZ NOT NULL,
    last_used_at TIMESTAMPTZ,
    revoked_at TIMESTAMPTZ,
    CONSTRAINT api_keys_hash_once UNIQUE (key_hash),
    CONSTRAINT api_keys_times CHECK (expires_at > created_at)
);
CREATE INDEX api_keys_user ON api_keys (user_id);
-- The end of a key is heard of as that of a session is.
CREATE TRIGGER api_keys_announce_end AFTER UPDATE OF revoked_at ON api_keys FOR EACH ROW
    WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL) EXECUTE FUNCTION announce_ended_session();
CREATE TRIGGER api_keys_announce_removal AFTER DELETE ON api_keys FOR EACH ROW
    WHEN (OLD.revoked_at IS NULL AND OLD.expires_at > now()) EXECUTE FUNCTION announce_ended_session();

ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY whole ON api_keys TO estore_users_owner, estore_users_writer USING (true);
CREATE POLICY admin ON api_keys FOR SELECT TO estore_staff, estore_readonly
    USING (current_setting('estore.role', true) = 'admin');
GRANT SELECT (id, user_id, name, hint, scopes, created_at, expires_at, last_used_at, revoked_at) ON api_keys
    TO estore_staff, estore_readonly;
