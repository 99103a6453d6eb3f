-- A page of checkouts with what was attached to them, for those who look after keys. Primary key.
SELECT id::text AS key, id::text AS row, nullif(metadata::text, '{}') AS text
FROM checkouts WHERE id > $1::text::uuid ORDER BY id LIMIT $2
