-- A page of the products found by words, the best first. idx_products_search, or idx_products_name_trigrams for misspelt words.
SELECT * FROM (
    SELECT id, name, description, price, quantity, category_id, image_url, min_stock_level, is_active, created_at, updated_at, metadata, statement_timestamp() AS stock_as_of,
        CASE WHEN $9::text IS NOT NULL THEN (word_similarity($9, name) * 1000000)::int4
            ELSE (ts_rank(search_document, $8::tsquery, 1) * 1000000)::int4 END AS score
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
) found
WHERE $10::int4 IS NULL OR (score, id) < ($10, $11::int4)
ORDER BY score DESC, id DESC
LIMIT $12::int8
