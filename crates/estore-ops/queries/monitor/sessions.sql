-- The clients of this database whose transactions, or else sessions, are the oldest; but for this session.
SELECT pid::bigint AS pid, coalesce(usename, '')::text AS role, application_name AS application, coalesce(client_addr::text, '') AS address,
    coalesce(state, 'hidden') AS state, wait_event_type AS waits_for, wait_event AS event,
    (extract(epoch FROM clock_timestamp() - backend_start) * 1000)::bigint AS session_ms,
    (extract(epoch FROM clock_timestamp() - xact_start) * 1000)::bigint AS transaction_ms,
    (extract(epoch FROM clock_timestamp() - query_start) * 1000)::bigint AS statement_ms,
    (extract(epoch FROM clock_timestamp() - state_change) * 1000)::bigint AS state_ms,
    left(query, 65536) AS statement
FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
ORDER BY xact_start NULLS LAST, backend_start LIMIT $1::bigint
