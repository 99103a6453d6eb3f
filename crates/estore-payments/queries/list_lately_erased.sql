-- Customers who were erased within the hour $1, in seconds; index erased_customers_age.
SELECT user_id FROM erased_customers WHERE erased_at > now() - make_interval(secs => $1::double precision)
