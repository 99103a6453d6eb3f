-- Tables that grow by months: their partitions are as they are, reached through them alone, and as little changed.

-- Makes a table like the partitioned one, ready to become its partition.
CREATE FUNCTION shape_partition(parent regclass, partition_name text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    EXECUTE format('CREATE TABLE %I (LIKE %s INCLUDING ALL EXCLUDING IDENTITY)', partition_name, parent);
    PERFORM close_partition(partition_name::regclass);
END $$;

-- Takes the rights on a partition from everybody but its owner, and refuses changes of its rows.
CREATE FUNCTION close_partition(partition regclass) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    stranger oid;
BEGIN
    FOR stranger IN
        SELECT DISTINCT item.grantee FROM pg_class, aclexplode(relacl) item
        WHERE pg_class.oid = partition AND item.grantee NOT IN (0, relowner)
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %s', partition, stranger::regrole);
    END LOOP;
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %s
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', partition);
END $$;

-- Makes the partitions of this month and the coming ones; answers how many it made. One whose rows wait in the default
-- partition, or that somebody stands in the way of, is left for the next time: there are months to try again.
CREATE FUNCTION make_month_partitions(parent regclass, months_ahead integer) RETURNS integer
LANGUAGE plpgsql SET search_path FROM CURRENT SET lock_timeout = '100ms' AS $$
DECLARE
    month_start timestamptz;
    partition_name text;
    made integer := 0;
BEGIN
    FOR ahead IN 0 .. least(greatest(months_ahead, 0), 24) LOOP
        month_start := date_trunc('month', now(), 'UTC') + make_interval(months => ahead);
        partition_name := (SELECT relname FROM pg_class WHERE oid = parent) || '_'
            || to_char(month_start AT TIME ZONE 'UTC', 'YYYY_MM');
        CONTINUE WHEN to_regclass(quote_ident(partition_name)) IS NOT NULL;
        BEGIN
            PERFORM shape_partition(parent, partition_name);
            -- Attached, not made in place: writers and readers of the other partitions need not wait.
            EXECUTE format('ALTER TABLE %s ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                parent, partition_name, month_start, month_start + interval '1 month');
            made := made + 1;
        EXCEPTION WHEN check_violation OR lock_not_available THEN
            RAISE LOG 'the partition % is not made yet: %', partition_name, SQLERRM;
        END;
    END LOOP;
    RETURN made;
END $$;

-- What was taken out of a partitioned table by a rule of the configuration, so that nobody looks for it.
CREATE TABLE partitions_let_go (
    parent VARCHAR NOT NULL,
    partition VARCHAR NOT NULL,
    -- Rows from before this moment are no longer all there.
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    what_became VARCHAR NOT NULL CHECK (what_became IN ('detached', 'dropped')),
    let_go_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (parent, partition)
);

-- The service writes none of it.
DO $$
DECLARE
    writer constant text := replace(current_user, '_owner', '_writer');
BEGIN
    EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON partitions_let_go FROM %I', writer);
    EXECUTE format('REVOKE EXECUTE ON FUNCTION shape_partition(regclass, text), close_partition(regclass),
        make_month_partitions(regclass, integer) FROM %I, estore_readonly', writer);
END $$;
GRANT SELECT ON partitions_let_go TO estore_readonly;
