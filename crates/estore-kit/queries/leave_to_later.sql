-- Lets the transaction's commit not wait for the disk, on the server that read_server.sql named. No table.
SELECT set_config('synchronous_commit', 'off', true) FROM pg_control_system()
WHERE system_identifier::text || '/' || extract(epoch FROM pg_postmaster_start_time())::text = $1
