-- How the stock came to be, and holds in every state.
INSERT INTO stock_movements (product_id, delta, kind)
SELECT id, quantity + 3, 'initial' FROM products;
INSERT INTO holds (checkout_id, state)
SELECT gen_random_uuid(), (ARRAY['held', 'sold', 'released'])[1 + n % 3] FROM generate_series(1, 80) AS n;
INSERT INTO hold_lines (checkout_id, product_id, quantity, unit_price)
SELECT h.checkout_id, p.id, 3, p.price
FROM (SELECT checkout_id, row_number() OVER (ORDER BY checkout_id) AS place FROM holds) h JOIN products p ON p.id = h.place;
INSERT INTO stock_movements (product_id, delta, kind, checkout_id)
SELECT product_id, -quantity, 'hold', checkout_id FROM hold_lines;
