REVOKE SELECT ON orders, checkouts, order_events FROM estore_payments_app, estore_staff;
REVOKE SELECT (id, user_id, payment_type, details, is_active, created_at) ON payment_methods FROM estore_payments_app;
REVOKE SELECT ON refunds, disputes FROM estore_staff;
REVOKE SELECT (checkout_id, gateway) ON charges FROM estore_staff;
REVOKE SELECT (id, user_id, payment_type, details, is_active, created_at, updated_at, gateway) ON payment_methods
    FROM estore_readonly;
REVOKE SELECT (checkout_id, user_id, amount, currency, gateway, state, gateway_reference, created_at, settled_at) ON charges
    FROM estore_readonly;
GRANT SELECT ON payment_methods, charges, idempotency_keys, unwanted_cards, sandbox_tokens, sandbox_fingerprint_key
    TO estore_readonly;

DO $$
DECLARE
    name text;
BEGIN
    FOR name IN
        SELECT inhrelid::regclass FROM pg_inherits
        WHERE inhparent = 'order_events'::regclass AND has_table_privilege('estore_payments_writer', inhrelid, 'SELECT')
    LOOP
        EXECUTE format('GRANT SELECT ON %s TO estore_readonly', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['payment_methods', 'orders', 'checkouts', 'idempotency_keys', 'charges', 'refunds',
        'ledger_transactions', 'ledger_entries', 'order_events', 'outbox', 'order_notices', 'disputes', 'unwanted_cards',
        'webhook_deliveries', 'stripe_customers', 'stripe_intents', 'sandbox_tokens', 'sandbox_sales', 'sandbox_refunds']
    LOOP
        EXECUTE format('DROP POLICY whole ON %I', name);
        EXECUTE format('DROP POLICY staff ON %I', name);
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
            AND acl.grantee = 'estore_payments_writer'::regrole
        GROUP BY c.oid, relkind
        UNION ALL
        SELECT 'FUNCTION', p.oid::regprocedure::text, 'EXECUTE'
        FROM pg_proc p CROSS JOIN aclexplode(p.proacl) acl
        WHERE p.pronamespace = 'public'::regnamespace AND acl.grantee = 'estore_payments_writer'::regrole
    LOOP
        EXECUTE format('GRANT %s ON %s %s TO estore_payments_app', item.rights, item.kind, item.name);
        EXECUTE format('REVOKE ALL ON %s %s FROM estore_payments_writer', item.kind, item.name);
    END LOOP;
END $$;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO estore_payments_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO estore_payments_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO estore_payments_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM estore_payments_writer;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON SEQUENCES FROM estore_payments_writer;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON FUNCTIONS FROM estore_payments_writer;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO estore_readonly;
