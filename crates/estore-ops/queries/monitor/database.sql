-- What this database's counters say, all sessions together, and how old its oldest transaction number is.
SELECT s.datname::text AS database, s.datid::bigint AS oid, pg_database_size(s.datid) AS bytes,
    s.numbackends::bigint AS connections, s.xact_commit AS commits, s.xact_rollback AS rollbacks,
    s.blks_read AS blocks_read, s.blks_hit AS blocks_hit,
    s.tup_returned AS rows_returned, s.tup_fetched AS rows_fetched, s.tup_inserted AS rows_inserted,
    s.tup_updated AS rows_updated, s.tup_deleted AS rows_deleted,
    s.conflicts, s.deadlocks, s.temp_files, s.temp_bytes, coalesce(s.checksum_failures, 0) AS checksum_failures,
    s.sessions, s.sessions_abandoned, s.sessions_fatal, s.sessions_killed,
    s.session_time::bigint AS session_ms, s.active_time::bigint AS active_ms,
    s.idle_in_transaction_time::bigint AS idle_in_transaction_ms,
    -- Set by a reset; a crash of the server begins anew too.
    greatest(s.stats_reset, (SELECT stats_reset FROM pg_stat_bgwriter)) AS counted_since
FROM pg_stat_database s WHERE s.datname = current_database()
