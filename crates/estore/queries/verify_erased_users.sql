-- Accounts that have been erased, by id, and whether the other services are still to be told.
SELECT id, EXISTS (SELECT FROM event_outbox WHERE type = 'user.erased' AND subject = 'user/' || users.id) AS untold
FROM users WHERE email = 'erased-' || id || '@invalid' ORDER BY id
