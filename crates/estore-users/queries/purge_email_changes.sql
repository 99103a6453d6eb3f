-- Changes of address that nobody proved in time; a whole scan, of a table that this keeps small.
DELETE FROM email_changes WHERE user_id IN (
    SELECT user_id FROM email_changes WHERE expires_at < now() - make_interval(secs => $1::double precision) LIMIT $2)
