-- For the audit. The $2 seals from number $1 on, in order. Primary key.
SELECT number, table_name, kind, after_position, last_position, row_count, digest, rows_from, rows_until, sealed_at, head,
    signature
FROM audit_seals WHERE number >= $1 ORDER BY number LIMIT $2
