-- One category. Primary key.
SELECT id, name, description, parent_id, is_active, created_at, updated_at FROM categories WHERE id = $1
