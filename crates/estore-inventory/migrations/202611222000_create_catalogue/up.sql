-- The catalogue: categories and products as the specification has them, then the rules they keep.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TABLE categories (
    id SERIAL PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    description TEXT,
    parent_id INTEGER,
    is_active BOOLEAN DEFAULT true,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT fk_parent FOREIGN KEY(parent_id) REFERENCES categories(id)
);
CREATE INDEX idx_categories_parent ON categories(parent_id);
CREATE TABLE products (
    id SERIAL PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    description TEXT,
    price INTEGER NOT NULL,
    quantity INTEGER NOT NULL DEFAULT 0,
    category_id INTEGER,
    image_url VARCHAR(255),
    min_stock_level INTEGER DEFAULT 0,
    is_active BOOLEAN DEFAULT true,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP WITH TIME ZONE,
    metadata JSONB DEFAULT '{}'::jsonb,
    CONSTRAINT fk_category FOREIGN KEY(category_id) REFERENCES categories(id)
);
CREATE INDEX idx_products_category ON products(category_id);
CREATE INDEX idx_products_active ON products(is_active);
CREATE INDEX idx_products_metadata ON products USING gin (metadata);

ALTER TABLE categories
    ADD CONSTRAINT categories_name_not_blank CHECK (name ~ '\S'),
    ADD CONSTRAINT categories_parent_is_another CHECK (parent_id <> id),
    ADD CONSTRAINT categories_is_active_known CHECK (is_active IS NOT NULL),
    ADD CONSTRAINT categories_created_at_known CHECK (created_at IS NOT NULL);

-- A tree: no category stands above itself, and none lies deeper than eight levels. Every change of the tree
-- waits for the one before, so that two moves which are each fine cannot close a cycle together.
CREATE FUNCTION categories_keep_tree() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    levels_above integer;
    levels_below integer;
    is_cycle boolean;
BEGIN
    IF NEW.parent_id IS NULL THEN
        RETURN NEW;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('estore.categories'));
    WITH RECURSIVE above AS (
        SELECT c.id, c.parent_id, 1 AS level FROM categories c WHERE c.id = NEW.parent_id
        UNION ALL
        SELECT c.id, c.parent_id, a.level + 1 FROM above a JOIN categories c ON c.id = a.parent_id
        WHERE a.level <= 8 AND a.id <> NEW.id
    )
    SELECT max(level), bool_or(id = NEW.id) INTO levels_above, is_cycle FROM above;
    IF is_cycle THEN
        RAISE EXCEPTION 'category % would stand above itself', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'categories_no_cycle';
    END IF;
    WITH RECURSIVE below AS (
        SELECT NEW.id AS id, 1 AS level
        UNION ALL
        SELECT c.id, b.level + 1 FROM below b JOIN categories c ON c.parent_id = b.id WHERE b.level <= 8
    )
    SELECT max(level) INTO levels_below FROM below;
    IF levels_above + levels_below > 8 THEN
        RAISE EXCEPTION 'categories nest at most 8 levels deep'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'categories_depth';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER categories_keep_tree BEFORE INSERT OR UPDATE OF parent_id ON categories
    FOR EACH ROW EXECUTE FUNCTION categories_keep_tree();

ALTER TABLE products
    ADD CONSTRAINT products_name_not_blank CHECK (name ~ '\S'),
    ADD CONSTRAINT products_price_not_negative CHECK (price >= 0),
    ADD CONSTRAINT products_quantity_not_negative CHECK (quantity >= 0),
    ADD CONSTRAINT products_min_stock_level_not_negative CHECK (min_stock_level IS NOT NULL AND min_stock_level >= 0),
    ADD CONSTRAINT products_image_url_is_web CHECK (image_url ~ '^https?://'),
    ADD CONSTRAINT products_is_active_known CHECK (is_active IS NOT NULL),
    ADD CONSTRAINT products_created_at_known CHECK (created_at IS NOT NULL),
    ADD CONSTRAINT products_metadata_is_object CHECK (metadata IS NOT NULL AND jsonb_typeof(metadata) = 'object');

-- What an import knows a product by, so that the same file twice changes nothing: its SKU, else its handle and
-- options, else its name.
ALTER TABLE products ADD COLUMN import_key TEXT;
CREATE UNIQUE INDEX idx_products_import_key ON products(import_key);

-- What a search reads: names weigh more than descriptions.
ALTER TABLE products ADD COLUMN search_document tsvector GENERATED ALWAYS AS (
    setweight(to_tsvector('english', name), 'A') || setweight(to_tsvector('english', coalesce(description, '')), 'C')
) STORED;
CREATE INDEX idx_products_search ON products USING gin (search_document);
CREATE INDEX idx_products_name_trigrams ON products USING gin (name gin_trgm_ops);

-- Sorted lists of what is on sale. No index names quantity: a sale stays a heap-only update, for which pages keep room.
CREATE INDEX idx_products_active_price ON products(price, id) WHERE is_active;
CREATE INDEX idx_products_active_name ON products(name, id) WHERE is_active;
ALTER TABLE products SET (fillfactor = 80);

-- Products whose names hold words that look like those wanted, the most alike first; for misspelt searches.
CREATE FUNCTION products_named_like(wanted text) RETURNS SETOF integer
    LANGUAGE sql STABLE ROWS 100
    SET pg_trgm.word_similarity_threshold = 0.3
AS $$
    SELECT id FROM products WHERE wanted <% name ORDER BY word_similarity(wanted, name) DESC, id LIMIT 1000
$$;
