-- New products are announced by their ids, for those that keep a search index; and all that is to be known of categories.
CREATE FUNCTION announce_new_products() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('catalogue', 'added ' || min(id) || ' ' || max(id)) FROM added HAVING count(*) > 0;
    RETURN NULL;
END
$$;
DROP TRIGGER products_announce_new ON products;
CREATE TRIGGER products_announce_new AFTER INSERT ON products REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION announce_new_products();
DROP TRIGGER categories_announce_move ON categories;
CREATE TRIGGER categories_announce_change AFTER INSERT OR DELETE OR UPDATE OF parent_id, name ON categories
    FOR EACH STATEMENT EXECUTE FUNCTION announce_lists();
