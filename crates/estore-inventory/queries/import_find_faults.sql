-- Rows that name unknown products, or the same product as another row. Whole staging table, idx_products_import_key.
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
) faults
ORDER BY line
LIMIT $1::int8
