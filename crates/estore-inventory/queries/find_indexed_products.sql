-- Products that were edited as the search index keeps them. Primary key.
SELECT id, coalesce(updated_at, created_at) AS edited_at, category_id, price, search_document, is_active FROM products
WHERE id = ANY ($1::int4[])
