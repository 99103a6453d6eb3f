-- The twenty lines of each of those checkouts.
INSERT INTO orders (checkout_id, user_id, product_id, quantity, unit_price, total_amount, currency, payment_method_id,
                    status, captured_amount, created_at, updated_at)
SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, (100000 + n % 100000)::text,
       (1 + (n::bigint * 7919 + line * 50021) % 1000000)::text, 1, 1000, 1000, 'USD', method, 'paid', 1000, at, at
FROM generate_series($1::integer, $2::integer) AS n
CROSS JOIN generate_series(1, 20) AS line
CROSS JOIN (SELECT min(id) AS method FROM payment_methods) AS card
CROSS JOIN LATERAL (SELECT now() - interval '1 year' + (n % 31000000) * interval '1 second') AS moment (at)
