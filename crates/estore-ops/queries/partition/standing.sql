-- How the table orders stands: its kind, the limit that a cut run left, the next id, whether it was ever analysed, how
-- far a merge has come and whether one left its old partitions; one row, catalogs and the sequence only.
SELECT class.relkind = 'p' AS is_partitioned,
    (SELECT substring(pg_get_constraintdef(oid) FROM 'id < ''?(\d+)')::bigint FROM pg_constraint
     WHERE conrelid = class.oid AND conname = 'orders_ids_below') AS ids_below,
    (SELECT last_value + is_called::int FROM orders_id_seq) AS next_id,
    class.reltuples >= 0 AS is_analysed,
    (SELECT array_agg(format('ALTER TABLE %s VALIDATE CONSTRAINT %I', conrelid::regclass, conname))
     FROM pg_constraint
     WHERE contype = 'f' AND NOT convalidated AND conparentid = 0
        AND (confrelid = class.oid OR conrelid = class.oid)) AS unproven,
    to_regclass('orders_merged') IS NOT NULL AS is_merging,
    substring(obj_description(to_regclass('orders_merged'), 'pg_class') FROM '\d+')::bigint AS merged_up_to,
    to_regclass('orders_split') IS NOT NULL AS has_leftover
FROM pg_class class WHERE class.oid = to_regclass('orders')
