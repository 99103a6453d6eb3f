-- For the audit. The seals about the things $1, in order. Index audit_seals_of_table.
SELECT number, table_name, digest FROM audit_seals WHERE table_name = ANY ($1::text[]) ORDER BY number
