-- Ends what was still on its way to an endpoint that is no more. Index webhook_deliveries_open.
UPDATE webhook_deliveries SET state = 'dead', next_attempt_at = NULL, ended_at = now(),
    last_error = 'the endpoint was deleted'
WHERE endpoint_id = $1 AND state IN ('waiting', 'pending')
