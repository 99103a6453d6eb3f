-- How far each table is sealed, and the newest seal. Index audit_seals_of_table.
SELECT name, coalesce((SELECT last_position FROM audit_seals WHERE table_name = name AND kind = 'rows'
    ORDER BY number DESC LIMIT 1), 0)
FROM unnest($1::text[]) name
