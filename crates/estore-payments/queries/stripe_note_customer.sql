-- Keeps the first customer that is noted for a user. Primary key.
INSERT INTO stripe_customers (user_id, customer) VALUES ($1, $2) ON CONFLICT (user_id) DO NOTHING
