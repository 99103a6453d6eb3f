DROP TRIGGER categories_announce_change ON categories;
CREATE TRIGGER categories_announce_move AFTER UPDATE OF parent_id ON categories
    FOR EACH STATEMENT EXECUTE FUNCTION announce_lists();
DROP TRIGGER products_announce_new ON products;
CREATE TRIGGER products_announce_new AFTER INSERT ON products FOR EACH STATEMENT EXECUTE FUNCTION announce_lists();
DROP FUNCTION announce_new_products();
