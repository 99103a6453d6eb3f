-- The stock side of $orders paid, declined and cancelled checkouts of one line each, over $products products. The same
-- numbers as in fill_payments.sql: checkout n is of product 1 + n % $products and 1 + n % 3 units; of a hundred, number 0
-- was declined and number 1 cancelled.
INSERT INTO holds (checkout_id, state, created_at, updated_at)
SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
    CASE n % 100 WHEN 0 THEN 'released' ELSE 'sold' END, at, at
FROM generate_series(1, $orders) n, LATERAL (SELECT now() - make_interval(secs => n % 80000)) t (at);
INSERT INTO hold_lines (checkout_id, product_id, quantity, unit_price)
SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 1 + n % $products, 1 + n % 3,
    100 + n % $products
FROM generate_series(1, $orders) n;
INSERT INTO stock_movements (product_id, delta, kind, created_at)
SELECT n, 1000000, 'initial', now() - interval '1 day' FROM generate_series(1, $products) n;
INSERT INTO stock_movements (product_id, delta, kind, checkout_id, order_id, created_at)
SELECT 1 + n % $products, m.sign * (1 + n % 3), m.kind,
    ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, CASE m.kind WHEN 'restock' THEN n END,
    now() - make_interval(secs => n % 80000)
FROM generate_series(1, $orders) n
JOIN (VALUES ('hold', -1, NULL), ('release', 1, 0), ('restock', 1, 1)) m (kind, sign, of)
    ON m.of IS NULL OR m.of = n % 100;
INSERT INTO products (name, price, quantity)
SELECT 'Thing ' || product_id, 99 + product_id, sum(delta) FROM stock_movements GROUP BY product_id ORDER BY product_id;
VACUUM ANALYZE;
