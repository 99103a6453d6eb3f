-- What waits and since when, in seconds; of each kind $1 rows at most are looked at. Primary key of the outbox, else the
-- partial index of each: checkouts_pending, checkouts_need_attention, refunds_pending, refunds_need_attention,
-- webhook_deliveries_open, webhook_deliveries_dead.
SELECT told.count::float8 AS outbox, told.seconds AS outbox_seconds,
    pending.count::float8 AS pending, pending.seconds AS pending_seconds, waiting.count::float8 AS waiting,
    attention.count::float8 AS attention, attention.seconds AS attention_seconds,
    refunds.count::float8 AS refunds, refunds_attention.count::float8 AS refunds_attention,
    deliveries.count::float8 AS deliveries, deliveries.seconds AS deliveries_seconds, dead.count::float8 AS dead
FROM (SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS seconds
      FROM (SELECT created_at FROM outbox ORDER BY id LIMIT $1::int8) rows) told,
    (SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS seconds
      FROM (SELECT created_at FROM checkouts WHERE status = 'pending' AND waits_for IS NULL LIMIT $1) rows) pending,
    (SELECT count(*) FROM (SELECT FROM checkouts WHERE status = 'pending' AND waits_for IS NOT NULL LIMIT $1) rows) waiting,
    (SELECT count(*), coalesce(extract(epoch FROM now() - min(needs_attention_since)), 0)::float8 AS seconds
      FROM (SELECT needs_attention_since FROM checkouts WHERE needs_attention_since IS NOT NULL AND status = 'pending'
            LIMIT $1) rows) attention,
    (SELECT count(*) FROM (SELECT FROM refunds WHERE state = 'pending' LIMIT $1) rows) refunds,
    (SELECT count(*) FROM (SELECT FROM refunds WHERE needs_attention_since IS NOT NULL LIMIT $1) rows) refunds_attention,
    (SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS seconds
      FROM (SELECT created_at FROM webhook_deliveries WHERE state IN ('waiting', 'pending') LIMIT $1) rows) deliveries,
    (SELECT count(*) FROM (SELECT FROM webhook_deliveries WHERE state = 'dead' LIMIT $1) rows) dead
