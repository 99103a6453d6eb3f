-- Customers whom PaymentService has erased, by id.
SELECT user_id AS id FROM erased_customers ORDER BY user_id
