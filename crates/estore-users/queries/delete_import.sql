-- Clears an import's staging; primary key of customer_imports.
DELETE FROM customer_imports WHERE import_id = $1
