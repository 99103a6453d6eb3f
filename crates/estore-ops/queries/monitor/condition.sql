-- What health is judged by: version, clock, replication, archiving, connections. System views; takes no lock, needs no right.
SELECT current_setting('server_version')::text AS version, current_setting('server_version_num')::int AS version_number,
    clock_timestamp() AS clock, pg_is_in_recovery() AS is_standby,
    current_setting('archive_mode') <> 'off' AS archives,
    coalesce(a.last_failed_time > coalesce(a.last_archived_time, '-infinity'), false) AS archiving_fails,
    (SELECT count(*) FROM pg_stat_replication) AS standbys,
    (SELECT coalesce(max(extract(epoch FROM replay_lag)), 0)::float8 FROM pg_stat_replication) AS standby_lag_seconds,
    (SELECT count(*) FROM pg_replication_slots WHERE NOT active) AS idle_slots,
    (SELECT coalesce(max(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn()
        ELSE pg_current_wal_lsn() END, restart_lsn)), 0)::int8 FROM pg_replication_slots) AS slot_bytes,
    (SELECT count(*) FROM pg_stat_activity
        WHERE datname IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend') AS connections,
    current_setting('max_connections')::int8 AS connections_max
FROM pg_stat_archiver a
