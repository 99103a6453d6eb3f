-- Every index of this database, the largest first: what it is, what depends on it and how often it was read by. Two with
-- the same method, keys and rest serve the same scans. Of a table that somebody holds exclusively neither the definition
-- nor the size can be asked without waiting: NULL, and the catalog's pages. Catalogs and counters only.
WITH locked AS MATERIALIZED (
    SELECT DISTINCT relation FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation IS NOT NULL
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
), open AS MATERIALIZED (
    SELECT i.indexrelid, pg_get_indexdef(i.indexrelid) AS definition,
        (SELECT array_agg(pg_get_indexdef(i.indexrelid, at, false) || ' ' || i.indclass[at - 1] || ' ' || i.indcollation[at - 1]
            || ' ' || i.indoption[at - 1] ORDER BY at) FROM generate_series(1, i.indnkeyatts) at) AS keys,
        coalesce((SELECT array_agg(pg_get_indexdef(i.indexrelid, at, false) ORDER BY at)
            FROM generate_series(i.indnkeyatts + 1, i.indnatts) at), '{}') AS included,
        (SELECT sum(pg_relation_size(i.indexrelid, fork)) FROM unnest('{main,fsm,vm,init}'::text[]) fork) AS bytes
    FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND t.relkind IN ('r', 'm')
      AND i.indrelid NOT IN (SELECT relation FROM locked) AND i.indexrelid NOT IN (SELECT relation FROM locked)
)
SELECT c.relname::text AS name, c.oid::bigint AS oid, i.indrelid::regclass::text AS table_name,
    open.definition, am.amname::text AS method, open.keys, open.included,
    substring(open.definition FROM ' WHERE (.*)$') AS predicate,
    i.indisunique AS is_unique, i.indisprimary AS is_primary, i.indisexclusion AS is_exclusion,
    i.indisreplident OR (i.indisprimary AND t.relreplident = 'd') AS is_replica_identity,
    -- A constraint of the table itself, or a foreign key that refers to it.
    EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid) AS has_constraint,
    i.indisvalid AS is_valid, i.indisready AS is_ready,
    EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = c.oid) AS is_being_built, c.relispartition AS is_partition,
    coalesce(open.bytes, c.relpages * current_setting('block_size')::bigint)::bigint AS bytes,
    s.idx_scan AS scans, s.idx_tup_read AS entries_read, s.idx_tup_fetch AS rows_fetched,
    io.idx_blks_read AS blocks_read, io.idx_blks_hit AS blocks_hit
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_am am ON am.oid = c.relam
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_stat_all_indexes s ON s.indexrelid = c.oid
JOIN pg_statio_all_indexes io ON io.indexrelid = c.oid
LEFT JOIN open ON open.indexrelid = c.oid
WHERE c.relkind = 'i' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY bytes DESC, name LIMIT $1::bigint
