-- Indexes that answer nothing, of tables that this role may look after; catalogs only.
SELECT index.indexrelid AS oid, index.indexrelid::regclass::text AS name, index.indrelid AS table_oid,
    class.relname ~ '_cc(new|old)[0-9]*$' AS is_remnant
FROM pg_index index
JOIN pg_class class ON class.oid = index.indexrelid AND class.relkind = 'i'
JOIN pg_namespace space ON space.oid = class.relnamespace
WHERE NOT (index.indisvalid AND index.indisready AND index.indislive)
  AND space.nspname !~ '^pg_' AND space.nspname <> 'information_schema'
  AND pg_has_role($1::text, class.relowner, 'USAGE')
ORDER BY is_remnant DESC, name
