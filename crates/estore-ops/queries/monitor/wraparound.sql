-- How far each database is from running out of transaction numbers; of all databases of the server.
SELECT datname::text AS database, age(datfrozenxid)::bigint AS transactions, mxid_age(datminmxid)::bigint AS multixacts,
    round(age(datfrozenxid) * 100.0 / 2147483648, 2) AS transactions_percent,
    round(mxid_age(datminmxid) * 100.0 / 2147483648, 2) AS multixacts_percent,
    current_setting('autovacuum_freeze_max_age')::bigint AS transactions_max,
    current_setting('autovacuum_multixact_freeze_max_age')::bigint AS multixacts_max
FROM pg_database ORDER BY greatest(age(datfrozenxid), mxid_age(datminmxid)) DESC, datname LIMIT $1::bigint
