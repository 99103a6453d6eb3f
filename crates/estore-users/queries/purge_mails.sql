-- Letters that ended and no longer count towards a limit; index mails_created.
DELETE FROM mails WHERE id IN (
    SELECT id FROM mails
    WHERE created_at < now() - make_interval(secs => $1::double precision)
      AND (sent_at IS NOT NULL OR given_up_at IS NOT NULL)
    LIMIT $2)
