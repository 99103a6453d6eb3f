-- The standbys of this server and how far behind they are, in bytes and milliseconds.
SELECT application_name AS standby, coalesce(client_addr::text, '') AS address, state, sync_state,
    pg_wal_lsn_diff(here.lsn, replay_lsn)::bigint AS behind_bytes,
    coalesce((extract(epoch FROM replay_lag) * 1000)::bigint, 0) AS behind_ms
FROM pg_stat_replication,
    (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS lsn) here
ORDER BY behind_bytes DESC NULLS LAST, standby LIMIT $1::bigint
