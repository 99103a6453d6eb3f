-- Removes a batch of events that Stripe, which repeats for three days, will not send again. BRIN index stripe_events_age.
DELETE FROM stripe_events WHERE id IN (
    SELECT id FROM stripe_events WHERE handled_at < now() - make_interval(secs => $1::double precision) LIMIT $2)
