-- How much of its numbers each sequence has given out: of its own, or of its column's type where that holds fewer.
-- pg_sequences and pg_depend: one row a sequence that we may read.
SELECT s.schemaname::text, s.sequencename::text,
    (coalesce(s.last_value, s.start_value)::numeric / least(s.max_value, CASE a.atttypid
        WHEN 'smallint'::regtype THEN 32767 WHEN 'integer'::regtype THEN 2147483647 ELSE 9223372036854775807 END)
    )::float8 AS used_ratio
FROM pg_sequences s
JOIN pg_namespace n ON n.nspname = s.schemaname
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = s.sequencename AND c.relkind = 'S'
LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
    AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE s.increment_by > 0 AND has_sequence_privilege(c.oid, 'SELECT')
