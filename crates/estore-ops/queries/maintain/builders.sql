-- Tables on which somebody may be building an index: a build holds this lock from before its index is there until it
-- counts. Locks are seen whoever holds them.
SELECT DISTINCT relation FROM pg_locks
WHERE locktype = 'relation' AND granted AND pid <> ALL ($1::integer[])
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND mode IN ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'AccessExclusiveLock')
