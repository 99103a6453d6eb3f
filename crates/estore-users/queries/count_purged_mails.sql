-- Letters that are due to be removed; index mails_created.
SELECT count(*) FROM mails
WHERE created_at < now() - make_interval(secs => $1::double precision) AND (sent_at IS NOT NULL OR given_up_at IS NOT NULL)
