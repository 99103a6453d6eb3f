-- Puts payloads in place of what they were, where they still are and nobody holds the row. Primary key.
WITH free AS MATERIALIZED (
    SELECT d.id, a.new FROM unnest($1::text[], $2::text[], $3::text[]) AS a (key, old, new)
    JOIN webhook_deliveries d ON d.id = a.key::bigint AND d.payload::text = a.old
    ORDER BY d.id FOR NO KEY UPDATE OF d SKIP LOCKED
)
UPDATE webhook_deliveries d SET payload = free.new::jsonb FROM free WHERE d.id = free.id
