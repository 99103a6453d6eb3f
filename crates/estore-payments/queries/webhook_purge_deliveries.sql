-- Removes a batch of deliveries that ended long ago: delivered after $1 days, dead ones after $2.
-- Index webhook_deliveries_ended_at.
DELETE FROM webhook_deliveries WHERE id IN (
    SELECT id FROM webhook_deliveries
    WHERE ended_at < now() - make_interval(days => CASE state WHEN 'dead' THEN $2::integer ELSE $1::integer END)
    LIMIT $3 FOR UPDATE SKIP LOCKED)
