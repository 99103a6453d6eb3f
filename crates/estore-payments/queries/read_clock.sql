-- The database's time. No index.
SELECT now() AS now
