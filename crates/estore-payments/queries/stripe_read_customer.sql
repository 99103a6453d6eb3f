-- A user's name at Stripe. Primary key.
SELECT customer FROM stripe_customers WHERE user_id = $1
