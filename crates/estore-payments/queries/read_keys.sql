-- What is known of keys that others took. Primary key.
SELECT k.user_id, k.key, k.request_hash, k.resource_id, k.answer_status, k.answer_body
FROM unnest($1::integer[], $2::text[]) AS a (user_id, key)
JOIN idempotency_keys k ON k.user_id = a.user_id AND k.key = a.key
