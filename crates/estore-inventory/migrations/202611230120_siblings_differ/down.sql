DROP TRIGGER categories_keep_siblings_apart ON categories;
DROP FUNCTION categories_keep_siblings_apart();
