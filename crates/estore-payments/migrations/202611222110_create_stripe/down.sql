-- destructive: what is known of Stripe's customers, intents and events, and which checkouts wait for a person
ALTER TABLE checkouts DROP CONSTRAINT checkouts_waits_while_pending, DROP COLUMN waits_for;
DROP TABLE stripe_events;
DROP TABLE stripe_intents;
DROP TABLE stripe_customers;
