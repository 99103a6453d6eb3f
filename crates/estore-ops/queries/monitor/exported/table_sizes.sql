-- Heap, indexes and TOAST of each table of this database, in bytes. Asks the file system; a table that is locked
-- exclusively is passed over, because its size can only be had by waiting.
SELECT n.nspname::text AS schemaname, c.relname::text,
    pg_relation_size(c.oid)::float8 AS heap_bytes, pg_indexes_size(c.oid)::float8 AS index_bytes,
    coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0)::float8 AS toast_bytes
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND NOT EXISTS (
    SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
    WHERE d.datname = current_database() AND l.relation = c.oid AND l.mode = 'AccessExclusiveLock')
ORDER BY c.reltuples DESC, c.oid LIMIT 1000
