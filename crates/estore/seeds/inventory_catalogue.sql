-- A tree of categories, and products of every kind.
INSERT INTO categories (name, parent_id) VALUES ('Home', NULL), ('Kitchen', 1), ('Knives', 2), ('Garden', NULL);
INSERT INTO products (name, description, price, quantity, category_id, image_url, min_stock_level, is_active, metadata, import_key)
SELECT format('Product %s ünï 👍', n), CASE WHEN n % 4 <> 0 THEN format('Text %s', n) END, n * 37, n % 11, 1 + n % 4,
       CASE WHEN n % 5 = 0 THEN format('https://img.test/%s.png', n) END, n % 3, n % 9 <> 0,
       jsonb_build_object('size', n % 3, 'tags', jsonb_build_array('a', n)), CASE WHEN n % 2 = 0 THEN format('sku:S-%s', n) END
FROM generate_series(1, 80) AS n;
