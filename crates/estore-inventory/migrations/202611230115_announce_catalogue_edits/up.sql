-- Edits of the catalogue are announced to the processes that keep it in memory, whoever makes them. A sale changes
-- the quantity alone, and neither fires nor announces anything.
CREATE FUNCTION announce_product() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('catalogue', NEW.id::text);
    RETURN NULL;
END
$$;
CREATE FUNCTION announce_lists() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('catalogue', 'lists');
    RETURN NULL;
END
$$;
CREATE TRIGGER products_announce_edit
    AFTER UPDATE OF name, description, price, category_id, image_url, min_stock_level, is_active, created_at, updated_at,
        metadata ON products
    FOR EACH ROW EXECUTE FUNCTION announce_product();
CREATE TRIGGER products_announce_new AFTER INSERT ON products FOR EACH STATEMENT EXECUTE FUNCTION announce_lists();
CREATE TRIGGER categories_announce_move AFTER UPDATE OF parent_id ON categories
    FOR EACH STATEMENT EXECUTE FUNCTION announce_lists();
