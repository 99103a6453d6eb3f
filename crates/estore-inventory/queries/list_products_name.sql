-- A page of products under filters by name. idx_products_active_name, or the filters' indexes.
SELECT id, name, description, price, quantity, category_id, image_url, min_stock_level, is_active, created_at, updated_at, metadata, statement_timestamp() AS stock_as_of, 0 AS score
FROM products
WHERE ($1::boolean OR is_active)
  AND ($2::boolean IS NULL OR is_active = $2)
  AND ($3::int4 IS NULL OR category_id = ANY (ARRAY(
      WITH RECURSIVE below AS (
          SELECT $3::int4 AS id UNION SELECT c.id FROM below b JOIN categories c ON c.parent_id = b.id
      ) SELECT id FROM below)))
  AND ($4::int4 IS NULL OR price >= $4)
  AND ($5::int4 IS NULL OR price <= $5)
  AND ($6::boolean IS NULL OR (quantity > 0) = $6)
  AND ($7::jsonb IS NULL OR metadata @> $7)
  AND ($8::tsquery IS NULL OR search_document @@ $8::tsquery)
  AND ($9::text IS NULL OR id = ANY (ARRAY(SELECT products_named_like($9))))
  AND ($10::varchar IS NULL OR (name, id) > ($10, $11::int4))
ORDER BY name, id
LIMIT $12::int8
