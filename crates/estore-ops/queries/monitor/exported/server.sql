-- The server: version, start, settings that bounds depend on, and how far a standby lags. Settings and functions, no table.
SELECT current_setting('server_version')::text AS version,
    split_part(current_setting('server_version'), ' ', 1)::text AS short_version,
    1::float8 AS one,
    extract(epoch FROM pg_postmaster_start_time())::float8 AS started,
    current_setting('max_connections')::float8 AS max_connections,
    current_setting('superuser_reserved_connections')::float8 AS reserved_connections,
    pg_size_bytes(current_setting('shared_buffers'))::float8 AS shared_buffers,
    current_setting('autovacuum_freeze_max_age')::float8 AS freeze_max_age,
    (current_setting('archive_mode') <> 'off')::int::float8 AS archive_mode,
    pg_is_in_recovery()::int::float8 AS is_replica,
    CASE WHEN pg_is_in_recovery()
        THEN coalesce(greatest(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0), 0) ELSE 0 END::float8 AS lag
