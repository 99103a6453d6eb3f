-- Tables partitioned by time: rows that found no partition, and until when there are partitions; catalogs and statistics.
SELECT parent.relname::text AS name, pg_stat_get_live_tuples(partitioned.partdefid) AS stray_rows,
    coalesce((SELECT max((regexp_match(pg_get_expr(part.relpartbound, part.oid), 'TO \(''([^'']+)''\)'))[1]::timestamptz)
              FROM pg_inherits JOIN pg_class part ON part.oid = inhrelid WHERE inhparent = parent.oid), now()) AS until
FROM pg_partitioned_table partitioned
JOIN pg_class parent ON parent.oid = partitioned.partrelid
JOIN pg_attribute attribute ON attribute.attrelid = parent.oid AND attribute.attnum = partitioned.partattrs[0]
WHERE partitioned.partstrat = 'r' AND partitioned.partdefid <> 0 AND attribute.atttypid = 'timestamptz'::regtype
ORDER BY name
