-- Locks the products of a batch in id order, so that no two batches wait for each other, and reads them. Primary key.
SELECT id, price, quantity, is_active FROM products WHERE id = ANY($1::int4[]) ORDER BY id FOR NO KEY UPDATE
