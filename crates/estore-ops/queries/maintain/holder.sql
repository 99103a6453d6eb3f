-- Who holds the lock of maintenance in this database, and since when that session is there.
SELECT lock.pid, coalesce(activity.backend_start, now()) AS since
FROM pg_locks lock LEFT JOIN pg_stat_activity activity USING (pid)
WHERE lock.locktype = 'advisory' AND lock.granted AND lock.classid::bigint = ($1::bigint >> 32)
  AND lock.objid::bigint = ($1::bigint & 4294967295) AND lock.objsubid = 1
  AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
