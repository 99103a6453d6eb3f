-- A chain over what was written: each seal holds a digest of some rows and the head of the seal before it, and is signed
-- by a key that the database does not have.
CREATE TABLE audit_seals (
    -- Without gaps: of two who seal at once, one is refused.
    number BIGINT PRIMARY KEY CHECK (number > 0),
    table_name VARCHAR(63) NOT NULL,
    -- Rows that were sealed, or rows that a rule has let go since.
    kind VARCHAR(8) NOT NULL CONSTRAINT audit_seals_kind_known CHECK (kind IN ('rows', 'let_go')),
    -- The ids of its rows: those after the first, up to the last. Of the ledger it is microseconds since 1970.
    after_position BIGINT NOT NULL,
    last_position BIGINT NOT NULL,
    row_count BIGINT NOT NULL CHECK (row_count >= 0),
    digest BYTEA NOT NULL CHECK (length(digest) = 32),
    -- When its oldest and its newest row were written; of rows let go, until when.
    rows_from TIMESTAMP WITH TIME ZONE NOT NULL,
    rows_until TIMESTAMP WITH TIME ZONE NOT NULL,
    sealed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    head BYTEA NOT NULL CHECK (length(head) = 32),
    signature BYTEA NOT NULL CHECK (length(signature) = 64),
    CONSTRAINT audit_seals_positions CHECK (last_position >= after_position)
);
CREATE INDEX audit_seals_of_table ON audit_seals (table_name, number);
CREATE TRIGGER audit_seals_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Writes down how policies, rights, triggers and roles differ from what was last written of them.
CREATE FUNCTION note_rules(was jsonb, is_now jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    INSERT INTO audit_log (table_name, row_key, operation, before, after) VALUES ('rules', '*', 'rules', was, is_now)
$$;

DO $$
DECLARE
    writer constant text := replace(current_user, '_owner', '_writer');
BEGIN
    EXECUTE format('REVOKE UPDATE, DELETE ON audit_seals FROM %I', writer);
    EXECUTE format('GRANT SELECT ON SEQUENCE audit_log_id_seq TO %I', writer);
END $$;
REVOKE EXECUTE ON FUNCTION note_rules(jsonb, jsonb) FROM estore_readonly;
GRANT SELECT ON audit_seals TO estore_readonly;
