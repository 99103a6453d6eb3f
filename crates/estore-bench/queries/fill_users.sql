-- $users customers, who cannot log in.
INSERT INTO users (email, hashed_password, is_verified)
SELECT 'filled-' || n || '@bench.example', '!', true FROM generate_series(1, $users) n;
VACUUM ANALYZE;
