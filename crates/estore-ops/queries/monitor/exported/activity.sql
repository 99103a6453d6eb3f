-- Client sessions by database, state and role, with the oldest transaction and session. pg_stat_activity: one row a session.
SELECT datname::text, coalesce(state, 'unknown')::text AS state, coalesce(usename, 'unknown')::text AS usename,
    count(*)::float8 AS sessions,
    coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float8 AS transaction_seconds,
    coalesce(max(extract(epoch FROM clock_timestamp() - backend_start)), 0)::float8 AS session_seconds
FROM pg_stat_activity
WHERE datname IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'
GROUP BY datname, 2, 3
