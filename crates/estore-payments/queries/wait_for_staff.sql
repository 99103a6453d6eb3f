-- A pending checkout waits for staff, and for nothing else; its request is answered. Primary keys.
WITH waiting AS (
    UPDATE checkouts SET next_attempt_at = 'infinity', waits_for = 'staff'
    WHERE id = $1 AND status = 'pending'
    RETURNING id, user_id, idempotency_key
)
UPDATE idempotency_keys k
SET state = 'finished', answer_status = $2, answer_body = $3, finished_at = now()
FROM waiting w
WHERE k.user_id = w.user_id AND k.key = w.idempotency_key AND k.resource_id = w.id AND k.state = 'running'
