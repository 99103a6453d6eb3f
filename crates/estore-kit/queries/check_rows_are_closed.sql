-- Tables that hold somebody's rows and do not close them, and policies that show rows to people whoever they are.
-- Reads the catalogs only.
WITH tables AS (
    SELECT c.oid, c.relname, c.relacl, c.relowner, c.relispartition, c.relrowsecurity AND c.relforcerowsecurity AS is_closed
    FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
), policies AS (
    SELECT p.polrelid, p.polname, pg_get_expr(p.polqual, p.polrelid) AS condition,
        (SELECT array_agg(CASE role WHEN 0 THEN 'public' ELSE pg_get_userbyid(role)::text END) FROM unnest(p.polroles) role) AS roles
    FROM pg_policy p WHERE p.polpermissive
)
SELECT format('table %s: it names a user, and row-level security is not forced on it', relname) FROM tables
WHERE NOT is_closed AND NOT relispartition AND EXISTS (
    SELECT FROM pg_attribute a
    WHERE a.attrelid = tables.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname ~ '(^|_)user_id$')
UNION ALL
SELECT format('table %s: row-level security is forced, and no policy lets the service in', relname) FROM tables
WHERE is_closed AND NOT relispartition AND NOT EXISTS (SELECT FROM policies WHERE polrelid = tables.oid)
UNION ALL
SELECT format('table %s: it is a part of a table with row-level security, and %s reaches it by its own name', tables.relname,
    acl.grantee::regrole)
FROM tables JOIN pg_inherits i ON i.inhrelid = tables.oid JOIN tables parent ON parent.oid = i.inhparent
CROSS JOIN aclexplode(tables.relacl) acl
WHERE tables.relispartition AND parent.is_closed AND acl.grantee <> tables.relowner
    AND acl.grantee::regrole::text !~ '^estore_[a-z]+_writer$'
UNION ALL
SELECT format('table %s: the policy %s does not ask for whom its rows are shown', polrelid::regclass, polname) FROM policies
WHERE EXISTS (SELECT FROM unnest(roles) role WHERE role !~ '^estore_[a-z]+_(owner|writer)$')
    AND coalesce(condition, '') !~ 'estore\.(user_id|role)'
