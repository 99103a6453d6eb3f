-- One refund. Primary keys.
SELECT r.id, r.order_id, r.checkout_id, r.amount, r.currency, r.user_id, r.kind, r.reason, r.requested_by,
    r.idempotency_key, r.state, r.created_at, r.failure, r.attempts, r.next_attempt_at, r.needs_attention_since,
    h.gateway
FROM refunds r JOIN charges h ON h.checkout_id = r.checkout_id WHERE r.id = $1
