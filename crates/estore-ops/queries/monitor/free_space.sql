-- The same for tables as pgstattuple measures it, the largest first, up to $1 bytes in all; those that somebody holds
-- exclusively are left out. Reads the pages that are not known to be all visible.
WITH locked AS MATERIALIZED (
    SELECT DISTINCT relation FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation IS NOT NULL
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
), ranked AS (
    SELECT c.oid, c.relpages, sum(c.relpages * current_setting('block_size')::bigint) OVER (ORDER BY c.relpages, c.oid) AS sum_bytes
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND c.oid NOT IN (SELECT relation FROM locked)
)
SELECT r.oid::regclass::text AS name, r.oid::bigint AS oid, a.table_len AS bytes, a.dead_tuple_count AS rows_dead, a.dead_tuple_len AS dead_bytes,
    a.approx_free_space AS free_bytes,
    CASE WHEN a.table_len > 0 THEN round((a.dead_tuple_len + a.approx_free_space) * 100.0 / a.table_len, 2) ELSE 0 END AS wasted_percent
FROM ranked r, LATERAL pgstattuple_approx(r.oid) a
WHERE r.sum_bytes <= $1::bigint
ORDER BY a.dead_tuple_len + a.approx_free_space DESC, name
