-- The gateway has news of a refund: a pending one is asked about at once; one that failed after it was booked as
-- paid out ($2) is shown to staff. Primary key.
UPDATE refunds
SET next_attempt_at = CASE state WHEN 'pending' THEN now() END,
    needs_attention_since = CASE WHEN state = 'succeeded' AND $2::boolean THEN coalesce(needs_attention_since, now())
        ELSE needs_attention_since END
WHERE id = $1
