-- A page of products on sale whose stock is at or under their level. Primary key: quantity has no index on purpose.
SELECT id, name, description, price, quantity, category_id, image_url, min_stock_level, is_active, created_at, updated_at, metadata, statement_timestamp() AS stock_as_of FROM products
WHERE is_active AND quantity <= min_stock_level AND ($1::int4 IS NULL OR id > $1)
ORDER BY id
LIMIT $2::int8
