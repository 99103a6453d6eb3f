-- Rows of an import whose address stands in an earlier row; primary key of customer_imports.
SELECT line, first_line
FROM (
    SELECT line, min(line) OVER (PARTITION BY email) AS first_line
    FROM customer_imports
    WHERE import_id = $1
) AS numbered
WHERE line > first_line
ORDER BY line
LIMIT $2
