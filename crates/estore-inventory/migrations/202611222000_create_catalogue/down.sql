-- destructive: all categories and products
DROP FUNCTION products_named_like(text);
DROP TABLE products;
DROP TABLE categories;
DROP FUNCTION categories_keep_tree();
