-- The server: its version, age, limits, and since when it counts what is not counted for each database; no table.
SELECT current_setting('server_version') AS version, current_setting('server_version_num')::integer AS version_number,
    (SELECT system_identifier::text FROM pg_control_system()) AS system_identifier,
    now() AS read_at, pg_postmaster_start_time() AS started_at, pg_is_in_recovery() AS is_standby,
    current_setting('max_connections')::bigint AS connections_max,
    current_setting('superuser_reserved_connections')::bigint AS connections_reserved,
    clients.connections, round(clients.connections * 100.0 / current_setting('max_connections')::bigint, 2) AS connections_percent,
    -- A crash throws the counters away, and sets this.
    (SELECT stats_reset FROM pg_stat_bgwriter) AS counted_since,
    current_user::text AS role, pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees_all,
    current_setting('autovacuum')::boolean AS autovacuum
FROM (SELECT count(*) AS connections FROM pg_stat_activity WHERE backend_type = 'client backend') clients
