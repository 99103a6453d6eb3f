-- Who a session waits for, in words, the oldest transaction first; only names and times of theirs.
SELECT format('process %s (%s, %s) has been in a transaction for %s s', activity.pid,
    coalesce(nullif(activity.application_name, ''), 'no name'), coalesce(activity.usename, 'no role'),
    extract(epoch FROM clock_timestamp() - activity.xact_start)::bigint)
FROM unnest(pg_blocking_pids($1::integer)) AS blocking (pid) JOIN pg_stat_activity activity USING (pid)
ORDER BY activity.xact_start LIMIT 1
