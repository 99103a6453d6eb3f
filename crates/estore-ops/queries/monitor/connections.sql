-- Clients of the server by database, role and state, but for this session; the longest of each, in milliseconds.
SELECT coalesce(datname, '')::text AS database, coalesce(usename, '')::text AS role, coalesce(state, 'hidden') AS state,
    count(*) AS connections, count(*) FILTER (WHERE wait_event_type = 'Lock') AS waiting_for_locks,
    max(extract(epoch FROM clock_timestamp() - backend_start) * 1000)::bigint AS session_ms_max,
    max(extract(epoch FROM clock_timestamp() - xact_start) * 1000)::bigint AS transaction_ms_max,
    max(extract(epoch FROM clock_timestamp() - state_change) * 1000)::bigint AS state_ms_max
FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
GROUP BY 1, 2, 3 ORDER BY connections DESC, database, role, state LIMIT $1::bigint
