-- Where an extension is installed in this database, and whether the server has loaded or could install it.
SELECT (SELECT n.nspname::text FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = $1) AS schema,
    EXISTS (SELECT FROM pg_available_extensions WHERE name = $1) AS is_available,
    EXISTS (SELECT FROM pg_settings WHERE name LIKE $1 || '.%') AS is_loaded
