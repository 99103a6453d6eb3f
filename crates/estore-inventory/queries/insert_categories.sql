-- Adds the categories of one level. Primary key.
INSERT INTO categories (name, parent_id)
SELECT name, parent_id FROM unnest($1::varchar[], $2::int4[]) WITH ORDINALITY AS c (name, parent_id, n) ORDER BY n
RETURNING id, parent_id, name
