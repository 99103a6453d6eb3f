-- Everything that makes up the schema, one row an object, whatever order columns were added in; reads the catalogs only.
WITH spaces AS (
    SELECT oid, nspname, nspowner, nspacl FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
), relations AS (
    SELECT class.*, class.oid::regclass::text AS title FROM pg_class class JOIN spaces ON spaces.oid = class.relnamespace
    WHERE class.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c') AND class.relname <> 'estore_migrations'
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = class.oid AND d.deptype = 'e')
), functions AS (
    SELECT proc.*, proc.oid::regprocedure::text AS title FROM pg_proc proc JOIN spaces ON spaces.oid = proc.pronamespace
    WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = proc.oid AND d.deptype = 'e')
), columns AS (
    SELECT relations.title, attribute.*, relations.relowner FROM pg_attribute attribute
    JOIN relations ON relations.oid = attribute.attrelid
    WHERE attribute.attnum > 0 AND NOT attribute.attisdropped AND relations.relkind <> 'S'
)
SELECT 'schema ' || nspname AS object, 'owner ' || pg_get_userbyid(nspowner) || ' grants ' || coalesce((SELECT string_agg(item::text, ',' ORDER BY item::text COLLATE "C") FROM unnest(nspacl) item), '') AS definition
FROM spaces
UNION ALL
SELECT 'relation ' || title, concat_ws(' ', 'kind', relkind, 'persistence', relpersistence, 'owner', pg_get_userbyid(relowner),
    'row security', relrowsecurity, relforcerowsecurity, 'options', reloptions::text, 'identity', relreplident,
    CASE WHEN relkind = 'p' THEN pg_get_partkeydef(oid) END, pg_get_expr(relpartbound, oid),
    (SELECT 'child of ' || string_agg(inhparent::regclass::text, ',' ORDER BY inhseqno) FROM pg_inherits WHERE inhrelid = relations.oid),
    CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(oid) END)
FROM relations
UNION ALL
SELECT 'sequence ' || title, concat_ws(' ', seqtypid::regtype, seqstart, seqincrement, seqmin, seqmax, seqcache, seqcycle,
    (SELECT 'of ' || refobjid::regclass || '.' || attname FROM pg_depend JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
     WHERE classid = 'pg_class'::regclass AND objid = relations.oid AND refclassid = 'pg_class'::regclass AND deptype IN ('a', 'i')))
FROM relations JOIN pg_sequence ON seqrelid = relations.oid
UNION ALL
SELECT 'column ' || title || '.' || attname, concat_ws(' ', format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN 'not null' END,
    'identity', attidentity, 'generated', attgenerated, 'default', (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = attrelid AND adnum = attnum),
    (SELECT 'collation ' || collname FROM pg_collation WHERE oid = attcollation))
FROM columns
UNION ALL
SELECT 'grants on column ' || title || '.' || attname, (SELECT string_agg(item::text, ',' ORDER BY item::text COLLATE "C") FROM unnest(attacl) item) FROM columns WHERE attacl IS NOT NULL
UNION ALL
SELECT 'constraint ' || coalesce(relations.title || '.', '') || conname, pg_get_constraintdef(constraint_.oid) || CASE WHEN convalidated THEN '' ELSE ' not validated' END
FROM pg_constraint constraint_ JOIN spaces ON spaces.oid = connamespace LEFT JOIN relations ON relations.oid = conrelid
-- What stands for a reference from or to one partition follows from the reference itself.
WHERE (conrelid = 0 OR relations.oid IS NOT NULL) AND NOT (contype = 'f' AND conparentid <> 0)
UNION ALL
SELECT 'index ' || indexrelid::regclass, pg_get_indexdef(indexrelid) || CASE WHEN indisvalid THEN '' ELSE ' INVALID' END
FROM pg_index JOIN relations ON relations.oid = indrelid
UNION ALL
SELECT 'trigger ' || title || '.' || tgname, pg_get_triggerdef(pg_trigger.oid) || ' enabled ' || tgenabled::text
FROM pg_trigger JOIN relations ON relations.oid = tgrelid WHERE NOT tgisinternal
UNION ALL
SELECT 'policy ' || title || '.' || polname, concat_ws(' ', polcmd, polpermissive,
    (SELECT string_agg(CASE role WHEN 0 THEN 'public' ELSE pg_get_userbyid(role)::text END, ',' ORDER BY role::regrole::text) FROM unnest(polroles) role),
    'using', pg_get_expr(polqual, polrelid), 'check', pg_get_expr(polwithcheck, polrelid))
FROM pg_policy JOIN relations ON relations.oid = polrelid
UNION ALL
SELECT 'rule ' || title || '.' || rulename, pg_get_ruledef(pg_rewrite.oid)
FROM pg_rewrite JOIN relations ON relations.oid = ev_class WHERE rulename <> '_RETURN'
UNION ALL
SELECT 'grants on ' || title, (SELECT string_agg(concat_ws(' ', coalesce(nullif(grantee, 0)::regrole::text, 'public'), privilege_type, is_grantable), ', '
    ORDER BY coalesce(nullif(grantee, 0)::regrole::text, 'public'), privilege_type)
    FROM aclexplode(coalesce(relacl, acldefault(CASE WHEN relkind = 'S' THEN 's'::"char" ELSE 'r'::"char" END, relowner))))
FROM relations WHERE relkind <> 'c'
UNION ALL
SELECT 'function ' || title, concat_ws(' ', 'owner', pg_get_userbyid(proowner),
    CASE WHEN prokind IN ('f', 'p', 'w') THEN pg_get_functiondef(oid) ELSE prosrc END, 'grants',
    (SELECT string_agg(concat_ws(' ', coalesce(nullif(grantee, 0)::regrole::text, 'public'), privilege_type), ', '
     ORDER BY coalesce(nullif(grantee, 0)::regrole::text, 'public')) FROM aclexplode(coalesce(proacl, acldefault('f', proowner)))))
FROM functions
UNION ALL
SELECT 'type ' || pg_type.oid::regtype, concat_ws(' ', typtype, 'owner', pg_get_userbyid(typowner), CASE WHEN typtype = 'd' THEN format_type(typbasetype, typtypmod) END,
    CASE WHEN typnotnull THEN 'not null' END, typdefault, (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = pg_type.oid))
FROM pg_type JOIN spaces ON spaces.oid = typnamespace WHERE typtype IN ('e', 'd', 'r')
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = pg_type.oid AND d.deptype = 'e')
UNION ALL
SELECT 'statistics ' || stxname, pg_get_statisticsobjdef(pg_statistic_ext.oid)
FROM pg_statistic_ext JOIN relations ON relations.oid = stxrelid
UNION ALL
SELECT 'comment on ' || relations.title || coalesce('.' || attname, ''), description
FROM pg_description JOIN relations ON relations.oid = objoid LEFT JOIN pg_attribute ON attrelid = objoid AND attnum = objsubid AND objsubid > 0
WHERE classoid = 'pg_class'::regclass
UNION ALL
SELECT 'default grants ' || concat_ws(' ', pg_get_userbyid(defaclrole), nspname, defaclobjtype), (SELECT string_agg(item::text, ',' ORDER BY item::text COLLATE "C") FROM unnest(defaclacl) item)
FROM pg_default_acl LEFT JOIN pg_namespace ON pg_namespace.oid = defaclnamespace
UNION ALL
SELECT 'extension ' || extname, extversion FROM pg_extension
