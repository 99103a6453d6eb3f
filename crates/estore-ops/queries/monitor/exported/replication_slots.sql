-- Log that each replication slot keeps. pg_replication_slots: one row a slot.
SELECT slot_name::text, active::int::float8 AS active,
    pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END,
        restart_lsn)::float8 AS kept_bytes
FROM pg_replication_slots
