-- Who changed what, and when: rows that the tables' own triggers write, that nobody changes, in a partition a month.
CREATE TABLE audit_log (
    id BIGSERIAL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    -- The account that asked, as the service said in the transaction; none where nobody did.
    user_id INTEGER DEFAULT (CASE WHEN current_setting('estore.user_id', true) ~ '^[1-9][0-9]{0,9}$'
        THEN current_setting('estore.user_id', true)::integer END),
    -- Which service or command it was, by its own word; else the name of the program.
    service VARCHAR(64) NOT NULL DEFAULT left(coalesce(nullif(current_setting('estore.service', true), ''),
        current_setting('application_name')), 64),
    -- The role that the session logged in as, whatever it became.
    database_role VARCHAR(63) NOT NULL DEFAULT SESSION_USER,
    request_id VARCHAR(128) DEFAULT left(nullif(current_setting('estore.request_id', true), ''), 128),
    table_name VARCHAR(63) NOT NULL,
    row_key VARCHAR(255) NOT NULL,
    operation VARCHAR(16) NOT NULL CONSTRAINT audit_log_operation_known
        CHECK (operation IN ('insert', 'update', 'delete', 'truncate', 'resolve', 'rules')),
    -- The columns that changed. Secrets and what is personal are named, never shown.
    before JSONB,
    after JSONB,
    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);
CREATE INDEX audit_log_of_row ON audit_log (table_name, row_key, id);
CREATE INDEX audit_log_of_user ON audit_log (user_id, id) WHERE user_id IS NOT NULL;
CREATE TABLE audit_log_default PARTITION OF audit_log DEFAULT;
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Those columns of a row that another row has otherwise, or all that hold something where there is no other.
CREATE FUNCTION audit_columns(of_row jsonb, other jsonb, secret text[], left_out text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_object_agg(key, CASE WHEN key = ANY (secret) THEN '"***"'::jsonb ELSE value END)
    FROM jsonb_each(of_row)
    WHERE key <> ALL (left_out)
        AND CASE WHEN other IS NULL THEN value <> 'null'::jsonb ELSE value IS DISTINCT FROM other -> key END
$$;

-- What a row is known by.
CREATE FUNCTION audit_key(of_row jsonb, key_columns text[]) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT left(coalesce(string_agg(of_row ->> name, '/' ORDER BY place), ''), 255)
    FROM unnest(key_columns) WITH ORDINALITY AS part (name, place)
$$;

-- Writes what a statement changed. As the owner: nobody else may write there. Its arguments are lists of columns: the
-- key, those that are named but never shown, those that are left out.
CREATE FUNCTION write_audit_log() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    key_columns constant text[] := string_to_array(TG_ARGV[0], ',');
    secret constant text[] := string_to_array(TG_ARGV[1], ',');
    left_out constant text[] := string_to_array(TG_ARGV[2], ',');
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO audit_log (table_name, row_key, operation, after)
        SELECT TG_TABLE_NAME, audit_key(whole, key_columns), 'insert', audit_columns(whole, NULL, secret, left_out)
        FROM (SELECT to_jsonb(added) AS whole FROM added) n;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO audit_log (table_name, row_key, operation, before)
        SELECT TG_TABLE_NAME, audit_key(whole, key_columns), 'delete', audit_columns(whole, NULL, secret, left_out)
        FROM (SELECT to_jsonb(removed) AS whole FROM removed) o;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit_log (table_name, row_key, operation, before, after)
        SELECT TG_TABLE_NAME, key, CASE WHEN was IS NULL THEN 'insert' WHEN is_now IS NULL THEN 'delete' ELSE 'update' END,
            before, after
        FROM (SELECT audit_key(to_jsonb(removed), key_columns) AS key, to_jsonb(removed) AS was FROM removed) o
        FULL JOIN (SELECT audit_key(to_jsonb(added), key_columns) AS key, to_jsonb(added) AS is_now FROM added) n
            USING (key)
        CROSS JOIN LATERAL (SELECT audit_columns(was, is_now, secret, left_out) AS before,
            audit_columns(is_now, was, secret, left_out) AS after) changed
        WHERE before IS NOT NULL OR after IS NOT NULL;
    ELSE
        INSERT INTO audit_log (table_name, row_key, operation) VALUES (TG_TABLE_NAME, '*', 'truncate');
    END IF;
    RETURN NULL;
END $$;

-- The same for one row: for a table whose other changes must not cost anything, since a trigger on some columns sees no
-- statement's rows.
CREATE FUNCTION write_audit_log_of_row() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    was constant jsonb := to_jsonb(OLD);
    is_now constant jsonb := to_jsonb(NEW);
    secret constant text[] := string_to_array(TG_ARGV[1], ',');
    left_out constant text[] := string_to_array(TG_ARGV[2], ',');
    after constant jsonb := audit_columns(is_now, was, secret, left_out);
BEGIN
    IF after IS NOT NULL THEN
        INSERT INTO audit_log (table_name, row_key, operation, before, after)
        VALUES (TG_TABLE_NAME, audit_key(is_now, string_to_array(TG_ARGV[0], ',')), 'update',
            audit_columns(was, is_now, secret, left_out), after);
    END IF;
    RETURN NULL;
END $$;

-- Has the changes of a table written. For migrations.
CREATE FUNCTION audit_changes_of(target regclass, key_columns text, secret text, left_out text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    shown constant text := format('(%L, %L, %L)', key_columns, secret, left_out);
BEGIN
    EXECUTE format('CREATE TRIGGER audit_insert AFTER INSERT ON %s REFERENCING NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION write_audit_log%s', target, shown);
    EXECUTE format('CREATE TRIGGER audit_update AFTER UPDATE ON %s REFERENCING OLD TABLE AS removed NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION write_audit_log%s', target, shown);
    EXECUTE format('CREATE TRIGGER audit_delete AFTER DELETE ON %s REFERENCING OLD TABLE AS removed
        FOR EACH STATEMENT EXECUTE FUNCTION write_audit_log%s', target, shown);
    EXECUTE format('CREATE TRIGGER audit_truncate AFTER TRUNCATE ON %s
        FOR EACH STATEMENT EXECUTE FUNCTION write_audit_log%s', target, shown);
END $$;

-- Makes the coming months' partitions; the service owns no table, so this runs as its owner.
CREATE FUNCTION make_audit_partitions(months_ahead integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM make_month_partitions('audit_log', months_ahead);
END $$;

-- Who writes there does so by a trigger; who reads is the service, and people who say that they are administrators.
DO $$
DECLARE
    writer constant text := replace(current_user, '_owner', '_writer');
BEGIN
    EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON audit_log FROM %I', writer);
    EXECUTE format('REVOKE ALL ON SEQUENCE audit_log_id_seq FROM %I', writer);
    EXECUTE format('REVOKE EXECUTE ON FUNCTION audit_changes_of(regclass, text, text, text) FROM %I', writer);
    EXECUTE format('CREATE POLICY whole ON audit_log TO %I, %I USING (true)', current_user, writer);
END $$;
REVOKE EXECUTE ON FUNCTION audit_columns(jsonb, jsonb, text[], text[]), audit_key(jsonb, text[]), write_audit_log(),
    write_audit_log_of_row(), audit_changes_of(regclass, text, text, text), make_audit_partitions(integer)
    FROM estore_readonly;
ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY admin ON audit_log FOR SELECT TO estore_readonly USING (current_setting('estore.role', true) = 'admin');
GRANT SELECT ON audit_log TO estore_readonly;

SELECT close_partition('audit_log_default');
SELECT make_month_partitions('audit_log', 3);
