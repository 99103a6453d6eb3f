-- Every table that can be written to, those that others refer to first, as writers mostly come by them; catalogs only.
SELECT class.oid::regclass::text
FROM pg_class class JOIN pg_namespace space ON space.oid = class.relnamespace
WHERE class.relkind IN ('r', 'p') AND NOT class.relispartition AND class.relpersistence <> 't'
  AND space.nspname !~ '^pg_' AND space.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = class.oid AND d.deptype = 'e')
ORDER BY (SELECT count(*) FROM pg_constraint c WHERE c.conrelid = class.oid AND c.contype = 'f'), class.relname
