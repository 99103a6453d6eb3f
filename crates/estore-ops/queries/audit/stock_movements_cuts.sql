-- For the audit. Movements of stock: where the next batches end, of $3 rows each, in the $4 first rows after $1 and up
-- to $2. Index stock_movements_order.
SELECT max(id) FROM (
    SELECT id, (row_number() OVER (ORDER BY id) - 1) / $3::bigint AS batch
    FROM (SELECT id FROM stock_movements WHERE id > $1::bigint AND id <= $2::bigint ORDER BY id LIMIT $4::bigint) next
) numbered
GROUP BY batch ORDER BY batch
