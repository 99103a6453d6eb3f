-- Products on sale by their ids. Primary key.
SELECT id, name, description, price, quantity, category_id, image_url, min_stock_level, is_active, created_at, updated_at, metadata, statement_timestamp() AS stock_as_of FROM products
WHERE id = ANY ($1::int4[]) AND is_active
