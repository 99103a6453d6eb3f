-- Adds a category; the tree's trigger checks its depth. Primary key.
INSERT INTO categories (name, description, parent_id, is_active)
VALUES ($1, $2, $3, $4)
RETURNING id, name, description, parent_id, is_active, created_at, updated_at
