-- Writes down what of policies, rights, triggers and roles is otherwise than was written of it. The catalogs; index
-- audit_log_of_row.
WITH found (name, value) AS (
    SELECT format('policy %s.%s', polrelid::regclass, polname), format('%s to %s using %s check %s', polcmd,
        (SELECT string_agg(CASE role WHEN 0 THEN 'public' ELSE role::regrole::text END, ',' ORDER BY role::regrole::text)
         FROM unnest(polroles) role), pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
    FROM pg_policy
    UNION ALL
    SELECT format('table %s', c.oid::regclass), format('owner %s, row security %s, forced %s, rights %s', relowner::regrole,
        relrowsecurity, relforcerowsecurity, (SELECT string_agg(item::text, ' ' ORDER BY item::text) FROM unnest(relacl) item))
    FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
    UNION ALL
    SELECT format('column %s.%s', attrelid::regclass, attname),
        (SELECT string_agg(item::text, ' ' ORDER BY item::text) FROM unnest(attacl) item)
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid AND relnamespace = 'public'::regnamespace
    WHERE attacl IS NOT NULL AND NOT attisdropped
    UNION ALL
    SELECT format('trigger %s.%s', tgrelid::regclass, tgname), tgenabled::text || ' ' || pg_get_triggerdef(t.oid)
    FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid WHERE NOT tgisinternal
    UNION ALL
    SELECT format('function %s', p.oid::regprocedure), format('owner %s, as owner %s, settings %s, rights %s, text %s', proowner::regrole, prosecdef, proconfig,
        (SELECT string_agg(item::text, ' ' ORDER BY item::text) FROM unnest(proacl) item), md5(prosrc))
    FROM pg_proc p JOIN pg_language l ON l.oid = prolang AND lanname IN ('sql', 'plpgsql')
    WHERE pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT format('role %s', rolname), format('superuser %s, makes roles %s, makes databases %s, logs in %s, replicates %s, '
        'bypasses row security %s, member of %s', rolsuper, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication,
        rolbypassrls, (SELECT string_agg(roleid::regrole::text, ',' ORDER BY roleid::regrole::text) FROM pg_auth_members
            WHERE member = r.oid))
    FROM pg_roles r WHERE rolname LIKE 'estore\_%' OR rolsuper OR rolbypassrls OR EXISTS (SELECT FROM pg_auth_members
        WHERE member = r.oid AND roleid::regrole::text LIKE 'estore\_%')
), known AS (
    SELECT DISTINCT ON (e.key) e.key AS name, e.value #>> '{}' AS value
    FROM audit_log a CROSS JOIN jsonb_each(a.after) e
    WHERE a.table_name = 'rules' AND a.row_key = '*'
    ORDER BY e.key, a.id DESC
), changed AS (
    SELECT name, k.value AS was, f.value AS is_now FROM found f FULL JOIN known k USING (name)
    WHERE f.value IS DISTINCT FROM k.value
)
SELECT note_rules(jsonb_object_agg(name, was) FILTER (WHERE was IS NOT NULL), jsonb_object_agg(name, is_now))
FROM changed HAVING count(*) > 0
