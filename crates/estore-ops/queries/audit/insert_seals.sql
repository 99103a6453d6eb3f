-- For the audit. Adds seals to the chain; one whose number is taken is refused. Primary key.
INSERT INTO audit_seals (number, table_name, kind, after_position, last_position, row_count, digest, rows_from, rows_until,
    sealed_at, head, signature)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bytea[],
    $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::bytea[], $12::bytea[])
