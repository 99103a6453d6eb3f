-- Whether an event has had its effect. Primary key.
SELECT id FROM stripe_events WHERE id = $1
