-- Which server this is: its cluster and when it started. No table.
SELECT system_identifier::text || '/' || extract(epoch FROM pg_postmaster_start_time())::text AS server
FROM pg_control_system()
