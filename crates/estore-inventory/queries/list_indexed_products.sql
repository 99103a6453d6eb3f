-- A stretch of the products on sale as the search index keeps them, in id order. Primary key.
SELECT id, coalesce(updated_at, created_at) AS edited_at, category_id, price, search_document FROM products
WHERE id BETWEEN $1 AND $2 AND is_active
ORDER BY id
LIMIT $3::int8
