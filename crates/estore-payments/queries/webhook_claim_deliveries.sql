-- Takes deliveries that are due, for each endpoint as many as it has room for beside those under way, and puts them off
-- so that no other process and no crash loses them. Index webhook_deliveries_due.
WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)), due AS MATERIALIZED (
    SELECT d.id, p.url, p.secret_version,
        CASE WHEN p.old_secret_until > now() THEN p.old_secret_version ELSE p.secret_version END AS oldest_secret_version
    FROM quick, webhook_endpoints p
    LEFT JOIN unnest($1::uuid[], $2::bigint[]) AS busy (endpoint_id, count) ON busy.endpoint_id = p.id
    CROSS JOIN LATERAL (
        SELECT id FROM webhook_deliveries
        WHERE endpoint_id = p.id AND state = 'pending' AND next_attempt_at <= now()
        ORDER BY next_attempt_at, id
        LIMIT greatest($3::bigint - coalesce(busy.count, 0), 0)
        FOR UPDATE SKIP LOCKED
    ) d
    WHERE p.is_active
)
UPDATE webhook_deliveries d
SET attempts = least(d.attempts + 1, 1000), last_attempt_at = now(),
    next_attempt_at = now() + make_interval(secs => $4::double precision)
FROM due WHERE d.id = due.id
RETURNING d.id, d.endpoint_id, d.event_id, d.attempts, due.url, due.secret_version, due.oldest_secret_version,
    d.payload::text AS body
