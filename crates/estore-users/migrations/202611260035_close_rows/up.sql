-- What one role did is done by two: the writer has the rights of the application from here on, also to what is still to
-- be made. What is new is shown to nobody until a migration says so.
DO $$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind, c.oid::regclass::text AS name,
            string_agg(acl.privilege_type, ', ') AS rights
        FROM pg_class c CROSS JOIN aclexplode(c.relacl) acl
        WHERE c.relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S')
            AND acl.grantee = 'estore_users_app'::regrole
        GROUP BY c.oid, relkind
        UNION ALL
        SELECT 'FUNCTION', p.oid::regprocedure::text, 'EXECUTE'
        FROM pg_proc p CROSS JOIN aclexplode(p.proacl) acl
        WHERE p.pronamespace = 'public'::regnamespace AND acl.grantee = 'estore_users_app'::regrole
    LOOP
        EXECUTE format('GRANT %s ON %s %s TO estore_users_writer', item.rights, item.kind, item.name);
        EXECUTE format('REVOKE ALL ON %s %s FROM estore_users_app', item.kind, item.name);
    END LOOP;
END $$;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO estore_users_writer;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO estore_users_writer;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO estore_users_writer;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM estore_users_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON SEQUENCES FROM estore_users_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON FUNCTIONS FROM estore_users_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE SELECT ON TABLES FROM estore_readonly;

-- Rows are closed: people see their own account, administrators see all where they say that they are, and nobody sees any
-- who does not say for whom they look. The service's own work goes by the writer; the owner is for migrations.
-- Rows of an import come by COPY, which knows no row-level security: nobody but the writer may touch that table at all.
DO $$
DECLARE
    name text;
    own constant text := 'nullif(current_setting(''estore.user_id'', true), '''')::integer';
    admin constant text := 'current_setting(''estore.role'', true) = ''admin''';
BEGIN
    FOREACH name IN ARRAY ARRAY['users', 'user_roles', 'sessions', 'refresh_tokens', 'verification_tokens',
        'password_reset_tokens', 'email_changes', 'mails', 'event_outbox']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY whole ON %I TO estore_users_owner, estore_users_writer USING (true)', name);
        EXECUTE format('CREATE POLICY admin ON %I FOR SELECT TO estore_staff, estore_readonly USING (%s)', name, admin);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['user_roles', 'sessions', 'email_changes'] LOOP
        EXECUTE format('CREATE POLICY own ON %I FOR SELECT TO estore_users_app, estore_readonly USING (user_id = %s)', name, own);
    END LOOP;
    EXECUTE format('CREATE POLICY own ON users FOR SELECT TO estore_users_app, estore_readonly USING (id = %s)', own);
END $$;

-- What the application shows to people, and no more of it.
GRANT SELECT (id, email, is_active, is_verified, is_admin, created_at, updated_at) ON users TO estore_users_app, estore_staff;
GRANT SELECT (user_id, role) ON user_roles TO estore_users_app, estore_staff;
GRANT SELECT (id, user_id, user_agent, created_at, last_used_at, expires_at, ended_at) ON sessions TO estore_users_app;
GRANT SELECT (user_id, new_email, expires_at) ON email_changes TO estore_users_app, estore_staff;

-- Hashes of tokens are of no use to those who only read.
REVOKE SELECT ON refresh_tokens, verification_tokens, password_reset_tokens, email_changes FROM estore_readonly;
GRANT SELECT (user_id, new_email, created_at, expires_at) ON email_changes TO estore_readonly;
