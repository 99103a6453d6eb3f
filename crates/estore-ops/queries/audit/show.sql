-- For the audit. Changes that were written down, newest first; where more than the number is asked for, by the indexes
-- of row and user.
SELECT id, created_at, user_id, service, database_role, request_id, table_name, row_key, operation, before, after
FROM audit_log
WHERE ($1::integer IS NULL OR user_id = $1)
    AND ($2::text IS NULL OR table_name = $2)
    AND ($3::text IS NULL OR row_key = $3)
    AND ($4::text IS NULL OR request_id = $4)
    AND ($5::text IS NULL OR operation = $5)
    AND ($6::timestamptz IS NULL OR created_at >= $6)
    AND ($7::timestamptz IS NULL OR created_at < $7)
ORDER BY id DESC
LIMIT $8
