-- Finds the products that rows without an id are known by. idx_products_import_key.
UPDATE import_rows SET product_id = p.id
FROM products p
WHERE import_rows.product_id IS NULL AND p.import_key = import_rows.key
