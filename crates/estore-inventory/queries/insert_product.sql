-- Adds a product together with the movement that is its first stock.
WITH product AS (
    INSERT INTO products
        (name, description, price, quantity, category_id, image_url, min_stock_level, is_active, metadata, import_key)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $11)
    RETURNING id, name, description, price, quantity, category_id, image_url, min_stock_level, is_active, created_at, updated_at, metadata, search_document
), initial AS (
    INSERT INTO stock_movements (product_id, delta, kind, actor_user_id)
    SELECT id, quantity, 'initial', $10::int4 FROM product WHERE quantity > 0
)
SELECT id, name, description, price, quantity, category_id, image_url, min_stock_level, is_active, created_at, updated_at, metadata, search_document, statement_timestamp() AS stock_as_of FROM product
