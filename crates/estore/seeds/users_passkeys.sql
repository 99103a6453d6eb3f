-- Passkeys, one of them a second step with its recovery codes, and a log-in that has been begun.
INSERT INTO passkeys (id, user_id, name, credential_id, public_key, user_handle, sign_count, transports, is_second_step,
    is_backup_eligible, is_backed_up)
SELECT gen_random_uuid(), n, 'phone', sha256(('credential' || n)::bytea), sha256(('key' || n)::bytea),
    sha256(('handle' || n)::bytea), n, '{internal,hybrid}', n = 4, true, n = 5
FROM generate_series(3, 5) AS n;
INSERT INTO recovery_codes (user_id, code)
SELECT 4, encode(sha256(('code' || n)::bytea), 'hex') FROM generate_series(1, 10) AS n;
INSERT INTO passkey_challenges (challenge, purpose, expires_at)
VALUES (encode(sha256('challenge'), 'hex'), 'log_in', now() + interval '5 minutes');
INSERT INTO mails (kind, recipient, subject, body) VALUES ('passkey_added', 'person4@shop.test', 'Hello', 'x');
