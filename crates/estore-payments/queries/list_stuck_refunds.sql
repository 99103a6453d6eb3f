-- A page of the refunds that staff must look at, oldest first. Partial index refunds_need_attention.
SELECT r.id, r.order_id, r.amount, r.currency, r.reason, r.state, r.created_at, r.user_id, r.kind, r.failure, r.attempts,
    r.next_attempt_at, r.needs_attention_since
FROM refunds r
WHERE r.needs_attention_since IS NOT NULL AND ($1::uuid IS NULL OR r.id > $1)
ORDER BY r.id LIMIT $2
