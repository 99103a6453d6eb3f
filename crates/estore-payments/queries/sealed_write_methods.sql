-- Puts details in place of what they were, where they still are and nobody holds the row. Primary key.
WITH free AS MATERIALIZED (
    SELECT m.id, a.new FROM unnest($1::text[], $2::text[], $3::text[]) AS a (key, old, new)
    JOIN payment_methods m ON m.id = a.key::integer AND m.details::text = a.old
    ORDER BY m.id FOR NO KEY UPDATE OF m SKIP LOCKED
)
UPDATE payment_methods m SET details = free.new::jsonb FROM free WHERE m.id = free.id
