-- Takes the turn of whoever goes through the sealed fields, if nobody has it. No index.
SELECT pg_try_advisory_lock($1)
