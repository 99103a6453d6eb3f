-- Letters that ended and no longer count towards a limit; index mails_created.
DELETE FROM mails
WHERE id IN (
    SELECT id FROM mails
    WHERE created_at < now() - interval '2 days' AND (sent_at IS NOT NULL OR given_up_at IS NOT NULL)
    LIMIT $1
)
