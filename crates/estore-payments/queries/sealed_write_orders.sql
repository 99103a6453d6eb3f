-- Puts metadata in place of what it was, where it still is and nobody holds the row. Primary key.
WITH free AS MATERIALIZED (
    SELECT o.id, a.new FROM unnest($1::text[], $2::text[], $3::text[]) AS a (key, old, new)
    JOIN orders o ON o.id = a.key::integer AND o.metadata::text = a.old
    ORDER BY o.id FOR NO KEY UPDATE OF o SKIP LOCKED
)
UPDATE orders o SET metadata = free.new::jsonb FROM free WHERE o.id = free.id
