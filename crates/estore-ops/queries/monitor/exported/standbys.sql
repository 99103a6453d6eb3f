-- How far each standby is behind. pg_stat_replication: one row a standby; a standby's own standbys are measured from it.
SELECT coalesce(application_name, '')::text AS application_name, coalesce(client_addr::text, 'local') AS client_addr,
    coalesce(state, 'unknown')::text AS state,
    pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END,
        replay_lsn)::float8 AS behind_bytes,
    coalesce(extract(epoch FROM replay_lag), 0)::float8 AS lag_seconds
FROM pg_stat_replication
