-- Buyers who are still to be told.
INSERT INTO order_notices (event_id, kind, user_id, orders, amount, currency)
SELECT gen_random_uuid(), 'paid', user_id, ARRAY[1, 2], total_amount, currency FROM checkouts WHERE status = 'paid';
