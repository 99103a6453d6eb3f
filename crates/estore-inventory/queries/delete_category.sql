-- Deletes a category; children and products refuse it by their foreign keys. Primary key.
DELETE FROM categories
WHERE id = $1 AND ($2::timestamptz[] IS NULL OR coalesce(updated_at, created_at) = ANY ($2))
RETURNING id
