-- Locks held or waited for, by database and mode, zeros too. pg_locks: takes the lock table's own latches for a moment.
SELECT d.datname::text, m.mode, count(l.mode)::float8 AS locks
FROM pg_database d
CROSS JOIN unnest(ARRAY['accesssharelock', 'rowsharelock', 'rowexclusivelock', 'shareupdateexclusivelock', 'sharelock',
    'sharerowexclusivelock', 'exclusivelock', 'accessexclusivelock', 'sireadlock']) AS m (mode)
LEFT JOIN pg_locks l ON l.database = d.oid AND lower(l.mode) = m.mode
WHERE NOT d.datistemplate AND has_database_privilege(d.oid, 'CONNECT')
GROUP BY 1, 2
