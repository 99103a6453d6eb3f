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
            AND acl.grantee = 'estore_inventory_app'::regrole
        GROUP BY c.oid, relkind
        UNION ALL
        SELECT 'FUNCTION', p.oid::regprocedure::text, 'EXECUTE'
        FROM pg_proc p CROSS JOIN aclexplode(p.proacl) acl
        WHERE p.pronamespace = 'public'::regnamespace AND acl.grantee = 'estore_inventory_app'::regrole
    LOOP
        EXECUTE format('GRANT %s ON %s %s TO estore_inventory_writer', item.rights, item.kind, item.name);
        EXECUTE format('REVOKE ALL ON %s %s FROM estore_inventory_app', item.kind, item.name);
    END LOOP;
END $$;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO estore_inventory_writer;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO estore_inventory_writer;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO estore_inventory_writer;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM estore_inventory_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON SEQUENCES FROM estore_inventory_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON FUNCTIONS FROM estore_inventory_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE SELECT ON TABLES FROM estore_readonly;

-- No table here holds a customer. Movements name who of the staff made them: they are shown to staff, and to nobody who
-- does not say so. The service's own work goes by the writer; the owner is for migrations.
ALTER TABLE stock_movements ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY whole ON stock_movements TO estore_inventory_owner, estore_inventory_writer USING (true);
CREATE POLICY staff ON stock_movements FOR SELECT TO estore_staff, estore_readonly
    USING (current_setting('estore.role', true) IN ('staff', 'admin'));
GRANT SELECT ON stock_movements TO estore_staff;
