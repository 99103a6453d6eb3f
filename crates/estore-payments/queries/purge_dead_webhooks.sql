-- Removes a batch of dead webhook deliveries that ended long ago. Index webhook_deliveries_ended_at.
DELETE FROM webhook_deliveries WHERE id IN (
    SELECT id FROM webhook_deliveries
    WHERE ended_at < now() - make_interval(secs => $1::double precision) AND state = 'dead'
    LIMIT $2 FOR UPDATE SKIP LOCKED)
