-- Every table that holds rows of its own, by the name it has on a search path of public; catalogs only.
SELECT class.oid::regclass::text
FROM pg_class class JOIN pg_namespace space ON space.oid = class.relnamespace
WHERE class.relkind = 'r' AND class.relpersistence <> 't'
  AND space.nspname !~ '^pg_' AND space.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = class.oid AND d.deptype = 'e')
ORDER BY 1
