-- Every table that this role may look after, and what tells whether it must; catalogs and statistics only. A partitioned
-- table has no rows of its own: what changed is how far its partitions have come from what it was last analyzed with.
WITH leaf AS (
    SELECT inherits.inhparent AS parent, sum(pg_stat_get_live_tuples(inherits.inhrelid)) AS live_rows
    FROM pg_inherits inherits JOIN pg_class class ON class.oid = inherits.inhparent AND class.relkind = 'p'
    GROUP BY 1
)
SELECT class.oid, class.oid::regclass::text AS name, class.relkind = 'p' AS is_partitioned,
    class.reltuples < 0 AS is_unknown,
    greatest(class.reltuples, 0)::bigint AS known_rows,
    coalesce(CASE class.relkind WHEN 'p' THEN leaf.live_rows ELSE stat.n_live_tup END, 0)::bigint AS live_rows,
    coalesce(stat.n_dead_tup, 0) AS dead_rows,
    CASE class.relkind WHEN 'p' THEN abs(coalesce(leaf.live_rows, 0) - greatest(class.reltuples, 0)::bigint)
        ELSE coalesce(stat.n_mod_since_analyze, 0) END::bigint AS changed_rows,
    coalesce(stat.n_ins_since_vacuum, 0) AS added_rows,
    CASE WHEN class.relkind <> 'p'
        THEN greatest(age(class.relfrozenxid), mxid_age(class.relminmxid), coalesce(age(nullif(toast.relfrozenxid, 0)), 0))
        ELSE 0 END::bigint AS freeze_age
FROM pg_class class
JOIN pg_namespace space ON space.oid = class.relnamespace
LEFT JOIN pg_class toast ON toast.oid = class.reltoastrelid
LEFT JOIN pg_stat_all_tables stat ON stat.relid = class.oid
LEFT JOIN leaf ON leaf.parent = class.oid
WHERE class.relkind IN ('r', 'm', 'p') AND class.relpersistence <> 't'
  AND space.nspname !~ '^pg_' AND space.nspname <> 'information_schema'
  AND pg_has_role($1::text, class.relowner, 'USAGE')
ORDER BY name
