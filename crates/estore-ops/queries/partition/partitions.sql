-- The partitions of orders from the first id up: name, bounds (none at the open ends), estimated rows (negative: never
-- counted), bytes, the limit that a cut run left; catalogs only.
SELECT relname::text AS name, substring(bound FROM 'FROM \(''?(\d+)')::bigint AS begin_id,
    substring(bound FROM 'TO \(''?(\d+)')::bigint AS end_id, reltuples::bigint AS rows_estimated,
    pg_total_relation_size(oid) AS bytes,
    (SELECT substring(pg_get_constraintdef(con.oid) FROM 'id < ''?(\d+)')::bigint FROM pg_constraint con
     WHERE con.conrelid = part.oid AND con.conname = 'orders_ids_below') AS ids_below
FROM (SELECT class.oid, class.relname, class.reltuples, pg_get_expr(class.relpartbound, class.oid) AS bound
    FROM pg_inherits JOIN pg_class class ON class.oid = inhrelid WHERE inhparent = to_regclass('orders')) part
ORDER BY begin_id NULLS FIRST
