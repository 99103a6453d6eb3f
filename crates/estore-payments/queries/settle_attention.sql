-- Staff have seen to an ended refund. Primary key.
UPDATE refunds SET needs_attention_since = NULL, updated_at = $2
WHERE id = $1 AND state <> 'pending' AND needs_attention_since IS NOT NULL
