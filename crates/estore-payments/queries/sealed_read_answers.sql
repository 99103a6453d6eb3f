-- A page of stored answers that have sealed fields, for those who look after keys. Unique index on resource_id.
SELECT resource_id::text AS key, resource_id::text AS row,
    CASE WHEN position('"sealed:'::bytea IN answer_body) > 0 THEN convert_from(answer_body, 'UTF8') END AS text
FROM idempotency_keys WHERE resource_id > $1::text::uuid ORDER BY resource_id LIMIT $2
