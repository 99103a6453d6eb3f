-- Stripe's events that are due to be removed. BRIN index stripe_events_age.
SELECT count(*) FROM stripe_events WHERE handled_at < now() - make_interval(secs => $1::double precision)
