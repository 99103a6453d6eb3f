-- What each statement of this database has cost, by pg_stat_statements; times in microseconds.
SELECT s.queryid AS id, r.rolname::text AS role, left(s.query, 65536) AS statement, s.toplevel, s.calls, s.rows,
    (s.total_exec_time * 1000)::bigint AS total_us, (s.max_exec_time * 1000)::bigint AS max_us,
    s.shared_blks_hit AS blocks_hit, s.shared_blks_read AS blocks_read, s.shared_blks_dirtied AS blocks_dirtied,
    s.temp_blks_read + s.temp_blks_written AS temp_blocks, s.wal_bytes::bigint AS wal_bytes
FROM pg_stat_statements s
JOIN pg_database d ON d.oid = s.dbid AND d.datname = current_database()
LEFT JOIN pg_roles r ON r.oid = s.userid
ORDER BY s.total_exec_time DESC LIMIT $1::bigint
