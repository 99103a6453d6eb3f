-- What nobody has been told yet, oldest first. Primary key.
SELECT id FROM outbox WHERE NOT is_published ORDER BY id LIMIT $1
