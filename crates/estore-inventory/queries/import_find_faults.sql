-- Rows that name unknown products, the same product as another row, or more
-- units than may be put on the shelf; what came back of sales may stand above that. Whole staging table, idx_products_import_key.
SELECT line, rule, other, count(*) OVER () AS total FROM (
    SELECT s.line, 'unknown_id' AS rule, s.product_id AS other
    FROM import_rows s LEFT JOIN products p ON p.id = s.product_id
    WHERE s.product_id IS NOT NULL AND p.id IS NULL
    UNION ALL
    SELECT line, 'duplicate', first_line FROM (
        SELECT line, least(
            CASE WHEN key IS NOT NULL THEN min(line) OVER (PARTITION BY key) END,
            CASE WHEN product_id IS NOT NULL THEN min(line) OVER (PARTITION BY product_id) END) AS first_line
        FROM import_rows
    ) same WHERE line <> first_line
    UNION ALL
    SELECT s.line, 'key_taken', p.id
    FROM import_rows s JOIN products p ON p.import_key = s.key
    WHERE s.product_id <> p.id
    UNION ALL
    SELECT s.line, 'too_many_units', s.quantity
    FROM import_rows s LEFT JOIN products p ON p.id = s.product_id
    WHERE s.quantity > $2::int4 AND s.quantity > coalesce(p.quantity, 0)
) faults
ORDER BY line
LIMIT $1::int8
