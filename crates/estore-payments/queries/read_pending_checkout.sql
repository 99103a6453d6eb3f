-- One checkout if it is still pending. Primary keys.
SELECT c.id, c.operation, c.total_amount, c.currency, c.payment_method_id, c.metadata, c.created_at, c.attempts,
    c.waits_for, h.gateway
FROM checkouts c JOIN charges h ON h.checkout_id = c.id
WHERE c.id = $1 AND c.status = 'pending'
