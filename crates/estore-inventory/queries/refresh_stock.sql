-- The stock of the products that shoppers look at, in one row: of those named ($2), and of those that moved after movement
-- $1; of these movements at most $3 are looked at. It says besides who may still write one with a lower id than the last
-- that is seen: transactions under way, all of which are older than the next. Primary key, stock_movements_order.
WITH moved AS (
    SELECT product_id FROM stock_movements WHERE id > $1::int8 ORDER BY id LIMIT $3::int8
), stock AS (
    SELECT id, quantity FROM products
    WHERE id IN (SELECT unnest($2::int4[]) UNION SELECT product_id FROM moved)
)
SELECT statement_timestamp() AS as_of,
    (SELECT count(*) FROM moved) AS moved,
    coalesce((SELECT max(id) FROM stock_movements), 0) AS last_movement,
    pg_snapshot_xmin(now)::text::int8 AS oldest_running,
    -- As many transactions as have begun since the newest that has ended.
    pg_snapshot_xmax(now)::text::int8 + age(pg_snapshot_xmax(now)::xid) AS next_transaction,
    (SELECT coalesce(array_agg(id), '{}') FROM stock) AS ids,
    (SELECT coalesce(array_agg(quantity), '{}') FROM stock) AS quantities
FROM pg_current_snapshot() now
