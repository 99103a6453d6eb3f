-- How often each index of this database is used, the two thousand largest. pg_stat_user_indexes: takes no lock.
SELECT s.schemaname::text, s.relname::text, s.indexrelname::text,
    s.idx_scan::float8, s.idx_tup_read::float8, s.idx_tup_fetch::float8
FROM pg_stat_user_indexes s JOIN pg_class c ON c.oid = s.indexrelid
ORDER BY c.relpages DESC, c.oid LIMIT 2000
