-- Every sequence and the column that it feeds: the column's type ends the numbers, not only the sequence's own limit.
WITH locked AS MATERIALIZED (
    SELECT DISTINCT relation FROM pg_locks WHERE relation IS NOT NULL
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
), fed AS (
    SELECT d.objid AS sequence, d.refobjid AS relation, d.refobjsubid AS attribute FROM pg_depend d
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
    UNION
    SELECT d.refobjid, a.adrelid, a.adnum FROM pg_depend d JOIN pg_attrdef a ON a.oid = d.objid
    WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'n'
), limits AS (
    SELECT c.oid, c.oid::regclass::text AS name, f.relation::regclass::text AS table_name, a.attname::text AS column_name,
        coalesce(a.atttypid, q.seqtypid)::regtype::text AS type, q.seqincrement AS step, q.seqcycle AS cycles,
        least(q.seqmax, CASE coalesce(a.atttypid, q.seqtypid) WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647
            ELSE q.seqmax END) AS largest,
        -- NULL where nothing was drawn, where this role may not read, and where somebody changes it: reading would wait.
        CASE WHEN seen.is_visible THEN pg_sequence_last_value(c.oid) END AS last, seen.is_visible
    FROM pg_sequence q JOIN pg_class c ON c.oid = q.seqrelid
    LEFT JOIN fed f ON f.sequence = c.oid
    LEFT JOIN pg_attribute a ON a.attrelid = f.relation AND a.attnum = f.attribute
    CROSS JOIN LATERAL (SELECT has_sequence_privilege(c.oid, 'SELECT, USAGE') AND c.oid NOT IN (SELECT relation FROM locked)
        AS is_visible) seen
    WHERE NOT pg_is_other_temp_schema(c.relnamespace)
)
SELECT name, table_name, column_name, type, step, cycles, largest, last, is_visible,
    CASE WHEN step > 0 AND largest > 0 THEN round(coalesce(last, 0)::numeric * 100 / largest, 2) ELSE 0 END AS used_percent
FROM limits ORDER BY used_percent DESC, name, table_name LIMIT $1::bigint
