-- So many more products, each with the movement that put its stock in.
WITH made AS (
    INSERT INTO products (name, description, price, quantity, category_id, metadata)
    SELECT 'Shelf of oak and ash no. ' || n,
           'A shelf for the wall, planed and oiled by hand, model ' || n || '. Two years of warranty.',
           100 + (n % 9973) * 7, 1000000000,
           (SELECT min(id) FROM categories) + n % (SELECT count(*) FROM categories)::integer,
           jsonb_build_object('model', n)
    FROM generate_series($1::integer, $2::integer) AS n
    RETURNING id, quantity
)
INSERT INTO stock_movements (product_id, delta, kind) SELECT id, quantity, 'initial' FROM made
