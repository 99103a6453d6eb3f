-- How many products of a list each category holds with those below it, the fullest first. The filters' indexes.
WITH RECURSIVE held AS (
    SELECT category_id, count(*) AS products
    FROM products
    WHERE category_id IS NOT NULL
      AND ($1::boolean OR is_active)
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
    GROUP BY category_id
), upwards AS (
    SELECT c.id, c.name, c.parent_id, h.products FROM held h JOIN categories c ON c.id = h.category_id
    UNION ALL
    SELECT c.id, c.name, c.parent_id, u.products FROM upwards u JOIN categories c ON c.id = u.parent_id
)
SELECT id, name, sum(products)::int8 AS count FROM upwards
GROUP BY id, name
ORDER BY count DESC, id
LIMIT $10::int8
