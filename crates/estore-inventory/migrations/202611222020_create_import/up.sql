-- Where an import collects its rows before it touches the catalogue. Nobody sees another import's rows: they come
-- and go within its transaction. Unlogged, for a crash ends the import anyway.
CREATE UNLOGGED TABLE import_rows (
    line INTEGER NOT NULL,
    product_id INTEGER,
    key TEXT,
    name VARCHAR(255) NOT NULL,
    description TEXT,
    price INTEGER NOT NULL,
    quantity INTEGER,
    category INTEGER,
    image_url VARCHAR(255),
    min_stock_level INTEGER,
    is_active BOOLEAN,
    metadata JSONB NOT NULL
);
