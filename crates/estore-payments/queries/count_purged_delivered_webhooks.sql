-- Webhook deliveries, delivered, that are due to be removed. Index webhook_deliveries_ended_at.
SELECT count(*) FROM webhook_deliveries
WHERE ended_at < now() - make_interval(secs => $1::double precision) AND state = 'delivered'
