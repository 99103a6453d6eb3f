-- Makes the products that are new, in the file's order, each with the movement that is its first stock.
WITH created AS (
    INSERT INTO products
        (name, description, price, quantity, category_id, image_url, min_stock_level, is_active, metadata, import_key)
    SELECT name, description, price, coalesce(quantity, 0), ($1::int4[])[category], image_url,
        coalesce(min_stock_level, 0), coalesce(is_active, true), metadata, key
    FROM import_rows WHERE product_id IS NULL ORDER BY line
    RETURNING id, quantity
), initial AS (
    INSERT INTO stock_movements (product_id, delta, kind, actor_user_id)
    SELECT id, quantity, 'initial', nullif(current_setting('estore.user_id', true), '')::int FROM created WHERE quantity > 0
)
SELECT count(*) FROM created
