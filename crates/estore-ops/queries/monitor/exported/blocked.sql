-- Sessions that wait for a lock, and the longest of these waits. pg_locks.
SELECT count(DISTINCT pid)::float8 AS sessions,
    coalesce(max(extract(epoch FROM clock_timestamp() - waitstart)), 0)::float8 AS longest_seconds
FROM pg_locks WHERE NOT granted
