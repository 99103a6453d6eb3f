-- How a table or index stands, to tell what its upkeep brought; statistics only.
SELECT coalesce(pg_stat_get_dead_tuples($1::oid), 0) AS dead_rows,
    CASE WHEN relkind IN ('r', 'm', 'i') THEN pg_relation_size(oid) ELSE 0 END AS bytes,
    greatest(reltuples, 0)::bigint AS known_rows
FROM pg_class WHERE oid = $1::oid
