-- Products sold below nothing.
SELECT format('product %s has a quantity of %s', id, quantity) FROM products WHERE quantity < 0
