-- Accounts of every kind, and tokens.
INSERT INTO users (email, hashed_password, is_active, is_verified, is_admin, updated_at)
SELECT format('person%s@shop.test', n), '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g', n % 7 <> 0, n % 3 <> 0, n = 1,
       CASE WHEN n % 2 = 0 THEN timestamptz '2026-01-01' + make_interval(days => n) END
FROM generate_series(1, 50) AS n;
INSERT INTO verification_tokens (user_id, token, expires_at)
SELECT n, encode(sha256(n::text::bytea), 'hex'), now() + interval '1 day' FROM generate_series(3, 48, 3) AS n;
