DROP TRIGGER categories_announce_move ON categories;
DROP TRIGGER products_announce_new ON products;
DROP TRIGGER products_announce_edit ON products;
DROP FUNCTION announce_lists();
DROP FUNCTION announce_product();
