-- Stores the answers of requests that ended without a checkout. Index on resource_id; the state as an
-- expression, see lock_running_keys.sql.
UPDATE idempotency_keys k
SET state = 'finished', answer_status = a.answer_status, answer_body = a.answer_body, finished_at = now()
FROM unnest($1::integer[], $2::text[], $3::uuid[], $4::smallint[], $5::bytea[])
    AS a (user_id, key, resource_id, answer_status, answer_body)
WHERE k.user_id = a.user_id AND k.key = a.key AND k.resource_id = a.resource_id AND k.state || '' = 'running'
RETURNING k.resource_id
