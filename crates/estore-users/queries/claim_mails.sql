-- Takes letters that are due, and puts them off so that no other process and no crash loses them;
-- those about orders after those that somebody waits for. Index mails_waiting.
UPDATE mails
SET attempts = attempts + 1,
    next_attempt_at = now() + least(3600, 30 * 2 ^ least(attempts, 10)) * interval '1 second'
WHERE id IN (
    SELECT id FROM mails
    WHERE sent_at IS NULL AND given_up_at IS NULL AND next_attempt_at <= now()
    ORDER BY event_id IS NOT NULL, next_attempt_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED
)
RETURNING id, kind, recipient, subject, body, sealed_for, created_at, attempts
