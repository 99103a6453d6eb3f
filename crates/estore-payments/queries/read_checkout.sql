-- One checkout. Primary key.
SELECT id, user_id, status, total_amount, currency, payment_method_id, metadata, created_at, needs_attention_since
FROM checkouts WHERE id = $1
