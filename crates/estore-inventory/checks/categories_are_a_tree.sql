-- Categories that no root reaches: they stand above themselves.
WITH RECURSIVE reached AS (
    SELECT id FROM categories WHERE parent_id IS NULL
    UNION
    SELECT c.id FROM reached r JOIN categories c ON c.parent_id = r.id
)
SELECT format('category %s stands above itself', id) FROM categories WHERE id NOT IN (SELECT id FROM reached)
