-- A page of categories in id order, all or one parent's. Primary key, or idx_categories_parent.
SELECT id, name, description, parent_id, is_active, created_at, updated_at
FROM categories
WHERE ($1::boolean OR is_active)
  AND ($2::int4 IS NULL OR parent_id = $2)
  AND ($3::int4 IS NULL OR id > $3)
ORDER BY id
LIMIT $4::int8
