-- Replication slots and the write-ahead log that each keeps from being removed, in bytes.
SELECT slot_name::text AS name, slot_type AS kind, coalesce(database, '')::text AS database, active, wal_status,
    pg_wal_lsn_diff(here.lsn, restart_lsn)::bigint AS kept_bytes
FROM pg_replication_slots,
    (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS lsn) here
ORDER BY kept_bytes DESC NULLS LAST, name LIMIT $1::bigint
