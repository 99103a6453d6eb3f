-- Who holds a lock on these tables ($1), the longest first. Databases that were copied from one share the tables' ids.
SELECT DISTINCT format('process %s (%s, %s) since %s', act.pid, coalesce(act.usename, 'unknown'),
    coalesce(nullif(act.application_name, ''), act.backend_type), date_trunc('second', now() - act.xact_start)), act.xact_start
FROM pg_locks JOIN pg_stat_activity act USING (pid)
WHERE locktype = 'relation' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND relation = ANY (SELECT to_regclass(name) FROM unnest($1::text[]) name)
    AND act.pid <> pg_backend_pid() AND act.state IS DISTINCT FROM 'idle'
ORDER BY act.xact_start LIMIT 5
