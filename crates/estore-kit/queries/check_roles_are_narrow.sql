-- Roles of a service that could pass by row-level security, and rights of the application to change anything.
-- Reads the catalogs only.
WITH roles AS (
    SELECT oid, rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles
    WHERE rolname ~ '^estore_([a-z]+_(writer|app)|staff|readonly|monitor)$'
)
SELECT format('role %s: it is a superuser, bypasses row-level security, or makes roles or databases', rolname) FROM roles
WHERE rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb
UNION ALL
SELECT format('role %s: it may become %s', roles.rolname, other.rolname) FROM roles, pg_roles other
WHERE other.oid <> roles.oid AND pg_has_role(roles.oid, other.oid, 'MEMBER')
    AND (other.rolsuper OR other.rolbypassrls OR other.rolname ~ '^estore_[a-z]+_(owner|writer)$'
        OR other.rolname IN ('pg_read_all_data', 'pg_write_all_data'))
UNION ALL
SELECT format('role %s: it owns %s', rolname, c.oid::regclass) FROM roles JOIN pg_class c ON c.relowner = roles.oid
UNION ALL
SELECT format('role %s: it may change rows of %s', rolname, c.oid::regclass)
FROM roles JOIN pg_class c ON c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
WHERE rolname !~ '_writer$' AND has_table_privilege(roles.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
