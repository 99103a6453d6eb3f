-- Removes events that Stripe, which repeats for three days, will not send again. BRIN index stripe_events_age.
DELETE FROM stripe_events WHERE handled_at < now() - interval '30 days'
