-- Lets the transaction's commit not wait for the disk, if it is made on this server: its cluster and when it started.
-- No table.
SELECT set_config('synchronous_commit', 'off', true) FROM pg_control_system()
WHERE system_identifier::text || '/' || extract(epoch FROM pg_postmaster_start_time())::text = $1
