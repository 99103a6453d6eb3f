-- What each database that we may enter has done, and how old its oldest transaction id is. pg_stat_database: one row each.
SELECT d.datname::text,
    s.numbackends::float8, s.xact_commit::float8, s.xact_rollback::float8, s.blks_read::float8, s.blks_hit::float8,
    s.tup_returned::float8, s.tup_fetched::float8, s.tup_inserted::float8, s.tup_updated::float8, s.tup_deleted::float8,
    s.conflicts::float8, s.temp_files::float8, s.temp_bytes::float8, s.deadlocks::float8,
    coalesce(s.checksum_failures, 0)::float8 AS checksum_failures,
    s.blk_read_time / 1000 AS read_seconds, s.blk_write_time / 1000 AS write_seconds,
    s.session_time / 1000 AS session_seconds, s.active_time / 1000 AS active_seconds,
    s.idle_in_transaction_time / 1000 AS idle_in_transaction_seconds,
    s.sessions::float8, s.sessions_abandoned::float8, s.sessions_fatal::float8, s.sessions_killed::float8,
    extract(epoch FROM s.stats_reset)::float8 AS stats_reset,
    age(d.datfrozenxid)::float8 AS frozen_age, mxid_age(d.datminmxid)::float8 AS multixact_age,
    d.datconnlimit::float8 AS connection_limit
FROM pg_database d JOIN pg_stat_database s ON s.datid = d.oid
WHERE NOT d.datistemplate AND has_database_privilege(d.oid, 'CONNECT')
