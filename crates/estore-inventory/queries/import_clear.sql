-- Empties the staging table, before and after. Whole table.
DELETE FROM import_rows
