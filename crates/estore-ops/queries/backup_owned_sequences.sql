-- One statement a column that a sequence fills: the sequence, the last number it gave, the largest that a row has; catalogs only.
SELECT format('SELECT %L, (SELECT CASE WHEN is_called THEN last_value ELSE last_value - seqincrement END FROM %s, pg_sequence WHERE seqrelid = %L::regclass), (SELECT max(%I)::bigint FROM %s)',
    seq.oid::regclass::text, seq.oid::regclass, seq.oid::regclass::text, att.attname, tab.oid::regclass)
FROM pg_class seq
JOIN pg_sequence ON pg_sequence.seqrelid = seq.oid AND pg_sequence.seqincrement > 0 AND NOT pg_sequence.seqcycle
JOIN pg_depend dep ON dep.classid = 'pg_class'::regclass AND dep.objid = seq.oid
    AND dep.refclassid = 'pg_class'::regclass AND dep.deptype IN ('a', 'i') AND dep.refobjsubid > 0
JOIN pg_class tab ON tab.oid = dep.refobjid
JOIN pg_attribute att ON att.attrelid = tab.oid AND att.attnum = dep.refobjsubid
WHERE seq.relkind = 'S'
