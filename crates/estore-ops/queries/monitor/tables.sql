-- Every table of this database, the largest first: heap, TOAST and indexes apart, rows alive and dead, how it is read
-- and looked after. What somebody holds exclusively is measured by the catalog's pages, so that nobody waits here.
WITH locked AS MATERIALIZED (
    SELECT DISTINCT relation FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation IS NOT NULL
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
), sized AS MATERIALIZED (
    SELECT c.oid, c.oid IN (SELECT relation FROM locked) AS is_locked,
        CASE WHEN c.oid IN (SELECT relation FROM locked) THEN c.relpages * current_setting('block_size')::bigint
             ELSE coalesce((SELECT sum(pg_relation_size(c.oid, fork)) FROM unnest('{main,fsm,vm,init}'::text[]) fork), 0) END::bigint AS bytes
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm', 't', 'i') AND n.nspname !~ '^pg_(catalog|temp|toast_temp)' AND n.nspname <> 'information_schema'
), indexed AS (
    SELECT i.indrelid, sum(s.bytes)::bigint AS bytes, count(*) AS indexes FROM pg_index i JOIN sized s ON s.oid = i.indexrelid
    GROUP BY i.indrelid
)
SELECT c.oid::regclass::text AS name, c.oid::bigint AS oid, heap.bytes AS heap_bytes,
    (coalesce(toast.bytes, 0) + coalesce(toast_index.bytes, 0))::bigint AS toast_bytes, coalesce(own.bytes, 0)::bigint AS index_bytes,
    (heap.bytes + coalesce(toast.bytes, 0) + coalesce(toast_index.bytes, 0) + coalesce(own.bytes, 0))::bigint AS total_bytes,
    coalesce(own.indexes, 0)::bigint AS indexes, heap.is_locked, c.relispartition AS is_partition,
    c.reltuples::bigint AS rows_estimated,
    s.n_live_tup AS rows_alive, s.n_dead_tup AS rows_dead,
    CASE WHEN s.n_live_tup + s.n_dead_tup > 0 THEN round(s.n_dead_tup * 100.0 / (s.n_live_tup + s.n_dead_tup), 2) ELSE 0 END AS dead_percent,
    s.n_mod_since_analyze AS changes_since_analyze,
    s.seq_scan AS scans_of_all, s.seq_tup_read AS rows_of_scans, coalesce(s.idx_scan, 0) AS scans_by_index,
    s.n_tup_ins AS rows_inserted, s.n_tup_upd AS rows_updated, s.n_tup_hot_upd AS rows_updated_in_page, s.n_tup_del AS rows_deleted,
    greatest(s.last_vacuum, s.last_autovacuum) AS vacuumed_at, greatest(s.last_analyze, s.last_autoanalyze) AS analyzed_at,
    (io.heap_blks_read + coalesce(io.idx_blks_read, 0) + coalesce(io.toast_blks_read, 0) + coalesce(io.tidx_blks_read, 0))::bigint AS blocks_read,
    (io.heap_blks_hit + coalesce(io.idx_blks_hit, 0) + coalesce(io.toast_blks_hit, 0) + coalesce(io.tidx_blks_hit, 0))::bigint AS blocks_hit
FROM pg_class c
JOIN sized heap ON heap.oid = c.oid
JOIN pg_stat_all_tables s ON s.relid = c.oid
JOIN pg_statio_all_tables io ON io.relid = c.oid
LEFT JOIN sized toast ON toast.oid = c.reltoastrelid
LEFT JOIN indexed toast_index ON toast_index.indrelid = c.reltoastrelid
LEFT JOIN indexed own ON own.indrelid = c.oid
WHERE c.relkind IN ('r', 'm')
ORDER BY total_bytes DESC, name LIMIT $1::bigint
