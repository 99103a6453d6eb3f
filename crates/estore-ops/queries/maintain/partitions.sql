-- The months that a table has partitions for, oldest first; catalogs only. The session's time zone must be UTC.
SELECT part.name, part.bare_name, part.bounds[1]::timestamptz AS starts_at, part.bounds[2]::timestamptz AS ends_at
FROM (
    SELECT class.oid::regclass::text AS name, class.relname::text AS bare_name,
        regexp_match(pg_get_expr(class.relpartbound, class.oid), 'FROM \(''([^'']+)''\) TO \(''([^'']+)''\)') AS bounds
    FROM pg_inherits JOIN pg_class class ON class.oid = inhrelid
    WHERE inhparent = $1::oid
) part
WHERE part.bounds IS NOT NULL
ORDER BY starts_at
