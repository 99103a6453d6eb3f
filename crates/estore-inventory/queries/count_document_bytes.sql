-- How large the search documents of all products are, about, by the statistics of the table. Catalogues.
SELECT (greatest(c.reltuples, 0) * coalesce(s.avg_width, 0))::int8 AS bytes
FROM pg_class c LEFT JOIN pg_stats s
    ON s.schemaname = c.relnamespace::regnamespace::text AND s.tablename = c.relname AND s.attname = 'search_document'
WHERE c.oid = 'products'::regclass
