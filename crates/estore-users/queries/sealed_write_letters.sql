-- Puts texts in place of what they were, where they still are and nobody holds the row. Primary key.
WITH free AS MATERIALIZED (
    SELECT m.id, a.new FROM unnest($1::text[], $2::text[], $3::text[]) AS a (key, old, new)
    JOIN mails m ON m.id = a.key::bigint AND m.body = a.old
    ORDER BY m.id FOR NO KEY UPDATE OF m SKIP LOCKED
)
UPDATE mails m SET body = free.new FROM free WHERE m.id = free.id
