-- Puts a letter in the outbox.
INSERT INTO mails (kind, recipient, subject, body, sealed_for)
VALUES ($1, $2, $3, $4, $5)
