-- Puts metadata in place of what it was, where it still is and nobody holds the row. Primary key.
WITH free AS MATERIALIZED (
    SELECT c.id, a.new FROM unnest($1::text[], $2::text[], $3::text[]) AS a (key, old, new)
    JOIN checkouts c ON c.id = a.key::uuid AND c.metadata::text = a.old
    ORDER BY c.id FOR NO KEY UPDATE OF c SKIP LOCKED
)
UPDATE checkouts c SET metadata = free.new::jsonb FROM free WHERE c.id = free.id
