-- The stock of the products that shoppers look at, in one row. Primary key.
SELECT statement_timestamp() AS as_of, coalesce(array_agg(id), '{}') AS ids, coalesce(array_agg(quantity), '{}') AS quantities
FROM products WHERE id = ANY ($1::int4[])
