-- For the audit. The transactions under way in this database by roles that write, but this one: what they will write
-- is not there yet. The server's locks and sessions.
SELECT coalesce(array_agg(DISTINCT lock.virtualtransaction), '{}')
FROM pg_locks lock JOIN pg_stat_activity session ON session.pid = lock.pid
WHERE lock.locktype = 'virtualxid' AND lock.mode = 'ExclusiveLock' AND lock.granted AND lock.pid <> pg_backend_pid()
    AND session.datid = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND session.backend_type NOT IN ('autovacuum worker', 'walsender')
    AND coalesce(session.usename, '') !~ '^estore_(backup|readonly|monitor|[a-z]+_app)$'
