-- What belongs to a table of orders ($1), as the statements that make it anew on one called orders: kind, name,
-- statement; catalogs only.
WITH it AS (
    SELECT class.*, class.oid::regclass::text AS title FROM pg_class class WHERE class.oid = $1::text::regclass
), incoming AS (
    SELECT con.* FROM pg_constraint con, it
    WHERE con.confrelid = it.oid AND con.contype = 'f' AND con.conparentid = 0 AND con.conrelid <> it.oid
)
SELECT 'grant' AS kind, '' AS name,
    format('GRANT %s ON TABLE orders TO %s%s', string_agg(privilege_type, ', ' ORDER BY privilege_type),
        coalesce(nullif(grantee, 0)::regrole::text, 'PUBLIC'), CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END) AS statement
FROM it, aclexplode(relacl) WHERE grantee <> relowner GROUP BY grantee, is_grantable
UNION ALL
SELECT 'grant', attname, format('GRANT %s (%I) ON TABLE orders TO %s', string_agg(privilege_type, ', '), attname,
        coalesce(nullif(grantee, 0)::regrole::text, 'PUBLIC'))
FROM it JOIN pg_attribute ON attrelid = it.oid, aclexplode(attacl)
WHERE NOT attisdropped GROUP BY attname, privilege_type, grantee
UNION ALL
SELECT 'comment', '', format('COMMENT ON TABLE orders IS %L', obj_description(oid, 'pg_class'))
FROM it
UNION ALL
SELECT 'statistics', attname, format('ALTER TABLE orders ALTER COLUMN %I SET STATISTICS %s', attname, attstattarget)
FROM it JOIN pg_attribute ON attrelid = it.oid WHERE attstattarget > 0 AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT 'security', '', 'ALTER TABLE orders ENABLE ROW LEVEL SECURITY' FROM it WHERE relrowsecurity
UNION ALL
SELECT 'security', '', 'ALTER TABLE orders FORCE ROW LEVEL SECURITY' FROM it WHERE relforcerowsecurity
UNION ALL
SELECT 'policy', polname, concat_ws(' ', format('CREATE POLICY %I ON orders', polname),
    CASE WHEN NOT polpermissive THEN 'AS RESTRICTIVE' END, 'FOR',
    CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
    'TO', (SELECT string_agg(CASE role WHEN 0 THEN 'PUBLIC' ELSE role::regrole::text END, ', ') FROM unnest(polroles) role),
    'USING (' || pg_get_expr(polqual, polrelid) || ')', 'WITH CHECK (' || pg_get_expr(polwithcheck, polrelid) || ')')
FROM it JOIN pg_policy ON polrelid = it.oid
UNION ALL
-- An index that can be unique across partitions, or need not be; and one that cannot, which each partition has for itself.
SELECT CASE WHEN con.oid IS NOT NULL THEN 'key' WHEN indisunique AND NOT id.attnum = ANY (indkey) THEN 'own index' ELSE 'index' END,
    class.relname, CASE WHEN con.oid IS NOT NULL THEN 'ALTER TABLE {table} ADD CONSTRAINT {name} ' || pg_get_constraintdef(con.oid)
    ELSE regexp_replace(pg_get_indexdef(class.oid), '^(CREATE .*?INDEX) .*? USING ', '\1 {name} ON {table} USING ') END
FROM it JOIN pg_attribute id ON id.attrelid = it.oid AND id.attname = 'id'
JOIN pg_index ON indrelid = it.oid JOIN pg_class class ON class.oid = indexrelid
LEFT JOIN pg_constraint con ON con.conindid = class.oid AND con.conrelid = it.oid AND con.contype IN ('p', 'u', 'x')
WHERE indisvalid
UNION ALL
-- What it is called on the whole table.
SELECT 'part of index', child.relname, parent.relname
FROM it JOIN pg_index ON indrelid = it.oid JOIN pg_class child ON child.oid = indexrelid
JOIN pg_inherits ON inhrelid = child.oid JOIN pg_class parent ON parent.oid = inhparent
UNION ALL
SELECT 'stranger', '', format('index %s, which is not valid', class.oid::regclass)
FROM it JOIN pg_index ON indrelid = it.oid JOIN pg_class class ON class.oid = indexrelid
WHERE NOT indisvalid AND it.relkind = 'r'
UNION ALL
SELECT 'foreign key', conname, 'ALTER TABLE {table} ADD CONSTRAINT {name} ' || pg_get_constraintdef(con.oid)
FROM it JOIN pg_constraint con ON conrelid = it.oid WHERE contype = 'f' AND conparentid = 0
UNION ALL
SELECT 'column', attname, quote_ident(attname)
FROM it JOIN pg_attribute ON attrelid = it.oid WHERE attnum > 0 AND NOT attisdropped AND attgenerated = ''
UNION ALL
SELECT 'neighbour', confrelid::regclass::text, NULL FROM it JOIN pg_constraint ON conrelid = it.oid WHERE contype = 'f'
UNION ALL
SELECT 'neighbour', conrelid::regclass::text, NULL FROM incoming
UNION ALL
SELECT 'incoming drop', conname, format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) FROM incoming
UNION ALL
SELECT 'incoming', conname, format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname,
    regexp_replace(pg_get_constraintdef(oid), ' NOT VALID$', '') || ' NOT VALID')
FROM incoming
UNION ALL
SELECT 'trigger', tgname, pg_get_triggerdef(trigger.oid) || CASE tgenabled WHEN 'O' THEN '' ELSE
    format('; ALTER TABLE orders %s TRIGGER %I', CASE tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END, tgname) END
FROM it JOIN pg_trigger trigger ON tgrelid = it.oid WHERE NOT tgisinternal
UNION ALL
SELECT 'sequence', seq.oid::regclass::text, format('ALTER SEQUENCE %s OWNED BY orders.%I', seq.oid::regclass, attname)
FROM it JOIN pg_depend dep ON dep.refclassid = 'pg_class'::regclass AND dep.refobjid = it.oid AND dep.refobjsubid > 0
    AND dep.classid = 'pg_class'::regclass AND dep.deptype = 'a'
JOIN pg_class seq ON seq.oid = dep.objid AND seq.relkind = 'S'
JOIN pg_attribute ON attrelid = it.oid AND attnum = dep.refobjsubid
UNION ALL
SELECT DISTINCT 'view', view.oid::regclass::text, format('CREATE OR REPLACE VIEW %s AS %s', view.oid::regclass, pg_get_viewdef(view.oid))
FROM it JOIN pg_depend dep ON dep.refclassid = 'pg_class'::regclass AND dep.refobjid = it.oid
    AND dep.classid = 'pg_rewrite'::regclass
JOIN pg_rewrite rule ON rule.oid = dep.objid JOIN pg_class view ON view.oid = rule.ev_class AND view.relkind = 'v'
UNION ALL
-- How big a table is before it is vacuumed, and the like: a partitioned table has none, its partitions do.
SELECT 'storage', '', 'SET (' || array_to_string(reloptions, ', ') || ')' FROM it WHERE reloptions IS NOT NULL AND relkind = 'r'
UNION ALL
SELECT 'stranger', '', pg_describe_object(dep.classid, dep.objid, dep.objsubid)
FROM it JOIN pg_depend dep ON dep.refclassid = 'pg_class'::regclass AND dep.refobjid = it.oid
LEFT JOIN pg_rewrite rule ON dep.classid = 'pg_rewrite'::regclass AND rule.oid = dep.objid
LEFT JOIN pg_class view ON view.oid = rule.ev_class
WHERE dep.classid NOT IN ('pg_class'::regclass, 'pg_type'::regclass, 'pg_constraint'::regclass, 'pg_trigger'::regclass,
        'pg_attrdef'::regclass, 'pg_policy'::regclass)
    AND view.relkind IS DISTINCT FROM 'v'
UNION ALL
SELECT 'stranger', '', pg_describe_object(dep.classid, dep.objid, dep.objsubid)
FROM it JOIN pg_depend dep ON dep.refclassid = 'pg_type'::regclass AND dep.refobjid = it.reltype
WHERE dep.classid <> 'pg_type'::regclass
UNION ALL
SELECT 'stranger', '', 'table ' || inhrelid::regclass || ', which inherits it' FROM it JOIN pg_inherits ON inhparent = it.oid WHERE it.relkind = 'r'
ORDER BY 1, 2
