-- Writes down how deliveries ended: sent, given up, or to be tried again; primary key.
UPDATE mails
SET sent_at = CASE WHEN ended.outcome = 'sent' THEN now() END,
    given_up_at = CASE WHEN ended.outcome = 'given_up' THEN now() END,
    body = CASE WHEN ended.outcome = 'again' THEN mails.body ELSE '' END,
    last_error = ended.error
FROM unnest($1::bigint[], $2::text[], $3::text[]) AS ended (id, outcome, error)
WHERE mails.id = ended.id
