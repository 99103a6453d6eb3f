-- A page of webhook deliveries that tell of checkouts, for those who look after keys. Primary key.
SELECT id::text AS key, payload #>> '{data,checkout_id}' AS row,
    CASE WHEN payload #> '{data,metadata}' <> '{}' THEN payload::text END AS text
FROM webhook_deliveries WHERE id > $1::text::bigint ORDER BY id LIMIT $2
