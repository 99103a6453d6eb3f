REVOKE SELECT (user_id, new_email, created_at, expires_at) ON email_changes FROM estore_readonly;
GRANT SELECT ON refresh_tokens, verification_tokens, password_reset_tokens, email_changes TO estore_readonly;
REVOKE SELECT (user_id, new_email, expires_at) ON email_changes FROM estore_users_app, estore_staff;
REVOKE SELECT (id, user_id, user_agent, created_at, last_used_at, expires_at, ended_at) ON sessions FROM estore_users_app;
REVOKE SELECT (user_id, role) ON user_roles FROM estore_users_app, estore_staff;
REVOKE SELECT (id, email, is_active, is_verified, is_admin, created_at, updated_at) ON users FROM estore_users_app, estore_staff;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['users', 'user_roles', 'sessions', 'refresh_tokens', 'verification_tokens',
        'password_reset_tokens', 'email_changes', 'mails', 'event_outbox']
    LOOP
        EXECUTE format('DROP POLICY whole ON %I', name);
        EXECUTE format('DROP POLICY admin ON %I', name);
        EXECUTE format('DROP POLICY IF EXISTS own ON %I', name);
        EXECUTE format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY', name);
    END LOOP;
END $$;

DO $$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind, c.oid::regclass::text AS name,
            string_agg(acl.privilege_type, ', ') AS rights
        FROM pg_class c CROSS JOIN aclexplode(c.relacl) acl
        WHERE c.relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S')
            AND acl.grantee = 'estore_users_writer'::regrole
        GROUP BY c.oid, relkind
        UNION ALL
        SELECT 'FUNCTION', p.oid::regprocedure::text, 'EXECUTE'
        FROM pg_proc p CROSS JOIN aclexplode(p.proacl) acl
        WHERE p.pronamespace = 'public'::regnamespace AND acl.grantee = 'estore_users_writer'::regrole
    LOOP
        EXECUTE format('GRANT %s ON %s %s TO estore_users_app', item.rights, item.kind, item.name);
        EXECUTE format('REVOKE ALL ON %s %s FROM estore_users_writer', item.kind, item.name);
    END LOOP;
END $$;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO estore_users_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO estore_users_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO estore_users_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM estore_users_writer;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON SEQUENCES FROM estore_users_writer;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON FUNCTIONS FROM estore_users_writer;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO estore_readonly;
