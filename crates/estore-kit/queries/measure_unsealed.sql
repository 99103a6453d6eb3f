-- For the audit. Age of the oldest change that no seal holds yet, in seconds; index audit_seals_of_table, primary key of
-- audit_log.
SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS unsealed_seconds
FROM (
    SELECT created_at FROM audit_log
    WHERE id > coalesce((SELECT last_position FROM audit_seals WHERE table_name = 'audit_log' AND kind = 'rows'
        ORDER BY number DESC LIMIT 1), 0)
    ORDER BY id LIMIT 1
) oldest
