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
            AND acl.grantee = 'estore_payments_app'::regrole
        GROUP BY c.oid, relkind
        UNION ALL
        SELECT 'FUNCTION', p.oid::regprocedure::text, 'EXECUTE'
        FROM pg_proc p CROSS JOIN aclexplode(p.proacl) acl
        WHERE p.pronamespace = 'public'::regnamespace AND acl.grantee = 'estore_payments_app'::regrole
    LOOP
        EXECUTE format('GRANT %s ON %s %s TO estore_payments_writer', item.rights, item.kind, item.name);
        EXECUTE format('REVOKE ALL ON %s %s FROM estore_payments_app', item.kind, item.name);
    END LOOP;
END $$;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO estore_payments_writer;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO estore_payments_writer;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO estore_payments_writer;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM estore_payments_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON SEQUENCES FROM estore_payments_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON FUNCTIONS FROM estore_payments_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE SELECT ON TABLES FROM estore_readonly;

-- Rows are closed: a customer sees their own, staff see all where they say that they are staff, and nobody sees any who
-- does not say for whom they look. The service's own work goes by the writer; the owner is for migrations. What customers
-- see is asked as a role of its own: with "or I am staff" in it the planner could not tell how many rows a customer has.
DO $$
DECLARE
    name text;
    own constant text := 'nullif(current_setting(''estore.user_id'', true), '''')';
    staff constant text := 'current_setting(''estore.role'', true) IN (''staff'', ''admin'')';
BEGIN
    FOREACH name IN ARRAY ARRAY['payment_methods', 'orders', 'checkouts', 'idempotency_keys', 'charges', 'refunds',
        'ledger_transactions', 'ledger_entries', 'order_events', 'outbox', 'order_notices', 'disputes', 'unwanted_cards',
        'webhook_deliveries', 'stripe_customers', 'stripe_intents', 'sandbox_tokens', 'sandbox_sales', 'sandbox_refunds']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY whole ON %I TO estore_payments_owner, estore_payments_writer USING (true)', name);
        EXECUTE format('CREATE POLICY staff ON %I FOR SELECT TO estore_staff, estore_readonly USING (%s)', name, staff);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['checkouts', 'order_events'] LOOP
        EXECUTE format('CREATE POLICY own ON %I FOR SELECT TO estore_payments_app, estore_readonly '
            'USING (user_id = %s::integer)', name, own);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['payment_methods', 'orders'] LOOP
        EXECUTE format('CREATE POLICY own ON %I FOR SELECT TO estore_payments_app, estore_readonly '
            'USING (user_id = current_setting(''estore.user_id'', true))', name);
    END LOOP;
    -- A partition has no policies: it is reached through its table, and by nobody else by its own name.
    FOR name IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'order_events'::regclass LOOP
        EXECUTE format('REVOKE ALL ON %s FROM estore_readonly', name);
    END LOOP;
END $$;

-- What the application shows to people, and no more of it.
GRANT SELECT ON orders, checkouts, order_events TO estore_payments_app, estore_staff;
GRANT SELECT (id, user_id, payment_type, details, is_active, created_at) ON payment_methods TO estore_payments_app;
GRANT SELECT ON refunds, disputes TO estore_staff;
GRANT SELECT (checkout_id, gateway) ON charges TO estore_staff;

-- Nor do those who only read need what stands for a card, or answers that were given.
REVOKE SELECT ON payment_methods, charges, idempotency_keys, unwanted_cards, sandbox_tokens, sandbox_fingerprint_key
    FROM estore_readonly;
GRANT SELECT (id, user_id, payment_type, details, is_active, created_at, updated_at, gateway) ON payment_methods
    TO estore_readonly;
GRANT SELECT (checkout_id, user_id, amount, currency, gateway, state, gateway_reference, created_at, settled_at) ON charges
    TO estore_readonly;
