-- A page of orders with what was attached to them, for those who look after keys. Primary key.
SELECT id::text AS key, checkout_id::text AS row, nullif(metadata::text, '{}') AS text
FROM orders WHERE id > $1::text::integer ORDER BY id LIMIT $2
