-- The size on disk of each database that we may enter. Asks the file system for every file of them.
SELECT datname::text, pg_database_size(oid)::float8 AS bytes
FROM pg_database
WHERE NOT datistemplate AND has_database_privilege(oid, 'CONNECT')
