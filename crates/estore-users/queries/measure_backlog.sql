-- What waits and since when, in seconds; of each kind $1 rows at most are looked at. Primary key of the outbox,
-- index mails_waiting.
SELECT told.count::float8 AS outbox, told.seconds AS outbox_seconds,
    letters.count::float8 AS mails, letters.seconds AS mails_seconds
FROM (SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS seconds
      FROM (SELECT created_at FROM event_outbox ORDER BY id LIMIT $1::int8) rows) told,
    (SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS seconds
      FROM (SELECT created_at FROM mails WHERE sent_at IS NULL AND given_up_at IS NULL LIMIT $1) rows) letters
