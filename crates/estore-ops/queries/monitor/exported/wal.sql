-- The write-ahead log on disk. Reads a folder; needs pg_monitor.
SELECT count(*)::float8 AS segments, coalesce(sum(size), 0)::float8 AS bytes FROM pg_ls_waldir()
WHERE name ~ '^[0-9A-F]{24}$'
