-- Puts answers in place of what they were, where they still are and nobody holds the row. Unique index on resource_id.
WITH free AS MATERIALIZED (
    SELECT k.resource_id, a.new FROM unnest($1::text[], $2::text[], $3::text[]) AS a (key, old, new)
    JOIN idempotency_keys k ON k.resource_id = a.key::uuid AND k.answer_body = convert_to(a.old, 'UTF8')
    ORDER BY k.resource_id FOR NO KEY UPDATE OF k SKIP LOCKED
)
UPDATE idempotency_keys k SET answer_body = convert_to(free.new, 'UTF8') FROM free
WHERE k.resource_id = free.resource_id
