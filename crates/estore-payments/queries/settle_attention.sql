-- Staff have seen to an ended refund, which its own row does not say. Primary key.
WITH waiting AS (
    SELECT id, needs_attention_since FROM refunds
    WHERE id = $1 AND state <> 'pending' AND needs_attention_since IS NOT NULL
    FOR NO KEY UPDATE
), settled AS (
    UPDATE refunds r SET needs_attention_since = NULL, updated_at = $2
    FROM waiting w WHERE r.id = w.id
    RETURNING r.id, w.needs_attention_since
)
SELECT note_resolved('refunds', id::text, jsonb_build_object('needs_attention_since', needs_attention_since)) FROM settled
