-- All products as the columns of our own CSV, in id order; a category by its path. Whole tables.
WITH RECURSIVE path AS (
    SELECT id, replace(replace(name, '\', '\\'), '>', '\>') AS path FROM categories WHERE parent_id IS NULL
    UNION ALL
    SELECT c.id, above.path || ' > ' || replace(replace(c.name, '\', '\\'), '>', '\>')
    FROM path above JOIN categories c ON c.parent_id = above.id
)
SELECT p.id, p.metadata->>'sku' AS sku, p.name, p.description,
    (p.price / 100)::text || '.' || lpad((p.price % 100)::text, 2, '0') AS price,
    p.quantity, path.path AS category, p.image_url, p.min_stock_level, p.is_active::text AS is_active, p.metadata
FROM products p LEFT JOIN path ON path.id = p.category_id
ORDER BY p.id
