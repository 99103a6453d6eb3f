-- Constraints that were never checked against the rows there are, and indexes that answer nothing; catalogs only. What
-- stands for a reference to one partition was checked with the reference to all of them, and is not marked.
SELECT 'constraint ' || conname || ' of ' || conrelid::regclass || ' is not validated'
FROM pg_constraint JOIN pg_namespace space ON space.oid = connamespace
WHERE NOT convalidated AND conparentid = 0 AND conrelid <> 0 AND space.nspname !~ '^pg_' AND space.nspname <> 'information_schema'
UNION ALL
SELECT 'index ' || indexrelid::regclass || ' is not valid' FROM pg_index WHERE NOT indisvalid OR NOT indisready
