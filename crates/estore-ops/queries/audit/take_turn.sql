-- For the audit. Whether it is this session's turn to seal, until its transaction ends, and the server's time. An
-- advisory lock.
SELECT pg_try_advisory_xact_lock($1), now()
