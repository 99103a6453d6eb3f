-- How much of each table and B-tree is room that nobody uses, as estimated from the rows' widths: those of the column
-- types, and the planner's for texts and the like, where this role sees them. NULL where it does not; see tables.sql on locks.
WITH locked AS MATERIALIZED (
    SELECT DISTINCT relation FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation IS NOT NULL
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
), widths AS MATERIALIZED (
    SELECT a.attrelid, a.attnum, CASE WHEN a.attlen > 0 THEN a.attlen * (1 - coalesce(p.null_frac, 0)::numeric)
        ELSE p.avg_width * (1 - p.null_frac::numeric) END AS bytes, coalesce(p.null_frac, 0) > 0 AS has_nulls
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_stats p ON p.schemaname = n.nspname AND p.tablename = c.relname AND p.attname = a.attname AND NOT p.inherited
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'm', 'i')
      AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
), measured AS (
    SELECT c.oid, c.relkind, c.reltuples, am.amname, coalesce(i.indrelid, c.oid) AS owner,
        CASE WHEN c.oid IN (SELECT relation FROM locked) THEN c.relpages * current_setting('block_size')::bigint
             ELSE pg_relation_size(c.oid) END AS bytes, current_setting('block_size')::numeric AS block,
        coalesce((SELECT option_value::numeric FROM pg_options_to_table(c.reloptions) WHERE option_name = 'fillfactor'),
            CASE c.relkind WHEN 'i' THEN 90 ELSE 100 END) / 100 AS fill,
        -- An index's columns have the widths of the table's, unless they are expressions, of which the index has its own.
        (SELECT CASE WHEN bool_or(w.bytes IS NULL) THEN NULL
             ELSE sum(w.bytes) + CASE c.relkind WHEN 'i' THEN 12 + CASE WHEN bool_or(w.has_nulls) THEN 4 ELSE 0 END
                 ELSE 28 + CASE WHEN bool_or(w.has_nulls) THEN ceil(count(*) / 64.0) * 8 ELSE 0 END END + 4 END
         FROM widths w WHERE CASE WHEN c.relkind = 'i' AND i.indkey::text !~ '\m0\M'
             THEN w.attrelid = i.indrelid AND w.attnum = ANY (i.indkey::smallint[]) ELSE w.attrelid = c.oid END) AS row_bytes
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_index i ON i.indexrelid = c.oid LEFT JOIN pg_am am ON am.oid = c.relam
    WHERE (c.relkind IN ('r', 'm') OR (c.relkind = 'i' AND am.amname = 'btree' AND i.indisvalid))
      AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
), expected AS (
    SELECT *, CASE WHEN reltuples >= 0
        THEN (ceil(reltuples::numeric * row_bytes / ((block - 24 - CASE relkind WHEN 'i' THEN 16 ELSE 0 END) * fill))
            + CASE relkind WHEN 'i' THEN 1 ELSE 0 END) * block END AS needed
    FROM measured WHERE bytes > 0
)
SELECT oid::regclass::text AS name, oid::bigint AS oid, relkind = 'i' AS is_index, owner::regclass::text AS table_name, bytes,
    wasted::bigint AS wasted_bytes, round(wasted * 100 / bytes, 2) AS wasted_percent
FROM expected, LATERAL (SELECT CASE WHEN needed IS NOT NULL THEN greatest(bytes - needed, 0) END AS wasted) w ORDER BY wasted_bytes DESC NULLS LAST, bytes DESC, name LIMIT $1::bigint
