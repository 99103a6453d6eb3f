-- Foreign keys whose columns begin no index of their own table: a change of the referenced row reads the whole table.
SELECT k.conname::text AS name, k.conrelid::regclass::text AS table_name, k.confrelid::regclass::text AS referenced,
    (SELECT array_agg(a.attname::text ORDER BY at) FROM unnest(k.conkey) WITH ORDINALITY key(number, at)
     JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = key.number) AS columns,
    coalesce(s.n_live_tup, 0) AS rows_alive
FROM pg_constraint k
LEFT JOIN pg_stat_all_tables s ON s.relid = k.conrelid
WHERE k.contype = 'f' AND k.conparentid = 0 AND NOT EXISTS (
    SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am am ON am.oid = c.relam
    WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL AND am.amname IN ('btree', 'hash')
      AND (string_to_array(i.indkey::text, ' ')::smallint[])[1:cardinality(k.conkey)] @> k.conkey
      AND i.indnkeyatts >= cardinality(k.conkey)
)
ORDER BY rows_alive DESC, name LIMIT $1::bigint
