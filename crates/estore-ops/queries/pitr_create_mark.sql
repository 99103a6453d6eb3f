-- Gives the present place in the write-ahead log a name; no table.
SELECT pg_create_restore_point($1::text)::text, clock_timestamp()
