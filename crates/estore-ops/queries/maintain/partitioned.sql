-- Tables that grow by months: append-only, partitioned by one time, with a default partition; catalogs only. Their rows
-- are never changed, so that copying them is moving them.
SELECT class.oid, class.oid::regclass::text AS name, class.relname::text AS bare_name, attribute.attname::text AS time_column,
    partitioned.partdefid::regclass::text AS default_name, partitioned.partdefid AS default_oid,
    (SELECT array_agg(quote_ident(key.attname) ORDER BY place) FROM pg_index index
        CROSS JOIN unnest(index.indkey::int2[]) WITH ORDINALITY AS part (attnum, place)
        JOIN pg_attribute key ON key.attrelid = class.oid AND key.attnum = part.attnum
     WHERE index.indrelid = class.oid AND index.indisprimary) AS key_columns
FROM pg_partitioned_table partitioned
JOIN pg_class class ON class.oid = partitioned.partrelid
JOIN pg_attribute attribute ON attribute.attrelid = class.oid AND attribute.attnum = partitioned.partattrs[0]
WHERE partitioned.partstrat = 'r' AND partitioned.partnatts = 1 AND attribute.atttypid = 'timestamptz'::regtype
  AND partitioned.partdefid <> 0 AND pg_has_role($1::text, class.relowner, 'USAGE')
  AND EXISTS (SELECT FROM pg_trigger WHERE tgrelid = class.oid AND tgname = class.relname || '_append_only')
ORDER BY name
