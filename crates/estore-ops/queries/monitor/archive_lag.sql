-- Log that waits to be archived: files, and the age of the oldest. Reads a folder; needs pg_monitor.
SELECT count(*)::float8 AS files,
    coalesce(max(extract(epoch FROM clock_timestamp() - modification)), 0)::float8 AS seconds
FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'
