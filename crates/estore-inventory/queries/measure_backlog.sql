-- What waits and since when, in seconds; of each kind $1 rows at most are looked at. Primary key of the outbox,
-- idx_holds_open.
SELECT told.count::float8 AS outbox, told.seconds AS outbox_seconds,
    held.count::float8 AS holds, held.seconds AS holds_seconds
FROM (SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS seconds
      FROM (SELECT created_at FROM event_outbox ORDER BY id LIMIT $1::int8) rows) told,
    (SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS seconds
      FROM (SELECT created_at FROM holds WHERE state = 'held' ORDER BY checkout_id LIMIT $1) rows) held
