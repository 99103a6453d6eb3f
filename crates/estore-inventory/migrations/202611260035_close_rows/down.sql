REVOKE SELECT ON stock_movements FROM estore_staff;
DROP POLICY staff ON stock_movements;
DROP POLICY whole ON stock_movements;
ALTER TABLE stock_movements DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;

DO $$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind, c.oid::regclass::text AS name,
            string_agg(acl.privilege_type, ', ') AS rights
        FROM pg_class c CROSS JOIN aclexplode(c.relacl) acl
        WHERE c.relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S')
            AND acl.grantee = 'estore_inventory_writer'::regrole
        GROUP BY c.oid, relkind
        UNION ALL
        SELECT 'FUNCTION', p.oid::regprocedure::text, 'EXECUTE'
        FROM pg_proc p CROSS JOIN aclexplode(p.proacl) acl
        WHERE p.pronamespace = 'public'::regnamespace AND acl.grantee = 'estore_inventory_writer'::regrole
    LOOP
        EXECUTE format('GRANT %s ON %s %s TO estore_inventory_app', item.rights, item.kind, item.name);
        EXECUTE format('REVOKE ALL ON %s %s FROM estore_inventory_writer', item.kind, item.name);
    END LOOP;
END $$;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO estore_inventory_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO estore_inventory_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO estore_inventory_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM estore_inventory_writer;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON SEQUENCES FROM estore_inventory_writer;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON FUNCTIONS FROM estore_inventory_writer;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO estore_readonly;
