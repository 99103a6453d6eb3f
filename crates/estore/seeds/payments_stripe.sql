-- Customers, intents and events at Stripe, and a checkout that waits for its buyer.
INSERT INTO stripe_customers (user_id, customer) SELECT n, format('cus_%s', n) FROM generate_series(1, 5) AS n;
INSERT INTO stripe_intents (key, intent) SELECT id, CASE status WHEN 'failed' THEN NULL ELSE 'pi_' || user_id END FROM checkouts;
INSERT INTO stripe_events (id, type, created_at) SELECT format('evt_%s', n), 'payment_intent.succeeded', now() FROM generate_series(1, 5) AS n;
UPDATE checkouts SET waits_for = 'buyer' WHERE id = (SELECT id FROM checkouts WHERE status = 'pending' ORDER BY user_id LIMIT 1);
