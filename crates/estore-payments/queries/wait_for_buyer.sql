-- A pending checkout waits for its buyer, and is given up some minutes after it began to. Primary key.
UPDATE checkouts
SET next_attempt_at = CASE WHEN waits_for = 'buyer' THEN next_attempt_at ELSE now() + make_interval(mins => $2) END,
    waits_for = 'buyer'
WHERE id = $1 AND status = 'pending'
