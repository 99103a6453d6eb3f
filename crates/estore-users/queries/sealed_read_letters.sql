-- A page of letters with the texts of those that wait, for those who look after keys. Primary key.
SELECT id::text AS key, sealed_for::text AS row, nullif(body, '') AS text
FROM mails WHERE id > $1::text::bigint ORDER BY id LIMIT $2
