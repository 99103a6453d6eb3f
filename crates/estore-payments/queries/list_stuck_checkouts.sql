-- A page of the checkouts that staff must look at, oldest first. Partial index checkouts_need_attention.
SELECT c.id, c.user_id, c.status, c.total_amount, c.currency, c.payment_method_id, c.metadata, c.created_at,
    c.needs_attention_since, c.attempts, nullif(c.next_attempt_at, 'infinity') AS next_attempt_at, h.gateway
FROM checkouts c JOIN charges h ON h.checkout_id = c.id
WHERE c.needs_attention_since IS NOT NULL AND c.status = 'pending' AND ($1::uuid IS NULL OR c.id > $1)
ORDER BY c.id LIMIT $2
