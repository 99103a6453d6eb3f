-- So many more products, each with the movement that put its stock in.
WITH made AS (
    INSERT INTO products (name, description, price, quantity, category_id, metadata)
    SELECT 'Shelf of oak and ash no. ' || n,
           'A shelf for the wall, planed and oiled by hand, model ' || n || '. Two years of warranty.',
           100 + (n % 9973) * 7, 1000000000,
           known.ids[1 + n % cardinality(known.ids)], jsonb_build_object('model', n)
    FROM generate_series($1::integer, $2::integer) AS n
    CROSS JOIN (SELECT array_agg(id ORDER BY id) AS ids FROM categories) AS known
    RETURNING id, quantity
)
INSERT INTO stock_movements (product_id, delta, kind) SELECT id, quantity, 'initial' FROM made
