-- For the audit. Movements of stock: rows after $1, which no seal holds yet, and the oldest one's time. Index
-- stock_movements_order.
SELECT count(*), min(created_at) FROM (SELECT created_at FROM stock_movements WHERE id > $1::bigint LIMIT 100000) next
