-- Who waits for a lock in this database, for how long, and who is in the way; one row for each pair.
WITH waiting AS MATERIALIZED (
    SELECT l.pid, l.locktype, l.mode, l.relation, l.waitstart, pg_blocking_pids(l.pid) AS blockers
    FROM pg_locks l JOIN pg_stat_activity s USING (pid)
    WHERE NOT l.granted AND s.datname = current_database() ORDER BY l.waitstart LIMIT $1::bigint
)
SELECT w.pid::bigint AS waiter, coalesce(a.usename, '')::text AS waiter_role, a.application_name AS waiter_application,
    left(a.query, 65536) AS waiter_statement, w.locktype AS lock, w.mode, w.relation::regclass::text AS table_name,
    coalesce((extract(epoch FROM clock_timestamp() - w.waitstart) * 1000)::bigint, 0) AS waited_ms,
    b.pid::bigint AS blocker, coalesce(x.usename, '')::text AS blocker_role, x.application_name AS blocker_application,
    x.state AS blocker_state, (extract(epoch FROM clock_timestamp() - x.xact_start) * 1000)::bigint AS blocker_transaction_ms,
    left(x.query, 65536) AS blocker_statement, b.pid IN (SELECT pid FROM waiting) AS blocker_waits
FROM waiting w
JOIN pg_stat_activity a ON a.pid = w.pid
LEFT JOIN LATERAL unnest(w.blockers) b(pid) ON true
LEFT JOIN pg_stat_activity x ON x.pid = b.pid
ORDER BY waited_ms DESC, waiter, blocker
