-- One order's hold, as a program without batches would take it.
\set product random(:first_product, :last_product)
BEGIN;
UPDATE products SET quantity = quantity - 1 WHERE id = :product AND quantity >= 1;
WITH hold AS (INSERT INTO holds (checkout_id, state) VALUES (gen_random_uuid(), 'held') RETURNING checkout_id) INSERT INTO hold_lines (checkout_id, product_id, quantity, unit_price) SELECT checkout_id, :product::integer, 1, 100 FROM hold;
COMMIT;
