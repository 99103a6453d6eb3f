-- Ends a session of ours that nobody hears any more, so that its locks are free. The server's own view.
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND state LIKE 'idle%'
