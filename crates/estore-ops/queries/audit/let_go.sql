-- Until when rows of each table were let go, as seals say. Index audit_seals_of_table.
SELECT table_name, max(rows_until) FROM audit_seals WHERE kind = 'let_go' GROUP BY table_name
