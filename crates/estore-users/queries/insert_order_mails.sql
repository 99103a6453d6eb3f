-- Puts letters about orders in the outbox, each once, for those who have an account. Primary key, mails_one_per_event.
INSERT INTO mails (event_id, kind, recipient, subject, body, sealed_for)
SELECT a.event_id, a.kind, u.email, a.subject, a.body, a.sealed_for
FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::uuid[])
    AS a (event_id, user_id, kind, subject, body, sealed_for)
JOIN users u ON u.id = a.user_id AND u.is_active
ON CONFLICT (event_id) DO NOTHING
