-- For the audit. The orders' history: rows after $1, which no seal holds yet, and the oldest one's time. Primary key.
SELECT count(*), min(created_at) FROM (SELECT created_at FROM order_events WHERE id > $1::bigint LIMIT 100000) next
