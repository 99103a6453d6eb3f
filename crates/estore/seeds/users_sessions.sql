-- Sessions, roles, resets, changes of address and letters.
INSERT INTO user_roles (user_id, role, granted_by) VALUES (2, 'staff', 1);
INSERT INTO sessions (id, user_id, user_agent, expires_at)
SELECT gen_random_uuid(), n, 'curl/8', now() + interval '30 days' FROM generate_series(1, 20) AS n;
INSERT INTO refresh_tokens (token, session_id, expires_at)
SELECT encode(sha256(id::text::bytea), 'hex'), id, expires_at FROM sessions;
INSERT INTO password_reset_tokens (token, user_id, expires_at)
SELECT encode(sha256(('reset' || n)::bytea), 'hex'), n, now() + interval '1 hour' FROM generate_series(4, 8) AS n;
INSERT INTO email_changes (user_id, token, new_email, expires_at)
VALUES (5, encode(sha256('change'), 'hex'), 'moved@shop.test', now() + interval '1 hour');
INSERT INTO mails (kind, recipient, subject, body) VALUES ('verification', 'person3@shop.test', 'Hello', 'Token: x');
