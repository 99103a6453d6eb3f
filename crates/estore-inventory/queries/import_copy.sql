-- Streams rows into the staging table.
COPY import_rows (line, product_id, key, name, description, price, quantity, category, image_url, min_stock_level,
    is_active, metadata) FROM STDIN WITH (FORMAT binary)
