-- For the audit. What was written down: rows, digest and times of each range of ids after $1 and up to $2. Primary
-- key.
SELECT count(r.id), sha256(convert_to(coalesce(string_agg(r.row::text, E'\n' ORDER BY r.id), ''), 'UTF8')),
    min(r.created_at), max(r.created_at)
FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS range (after, last, place)
LEFT JOIN LATERAL (
    SELECT a.id, a.created_at, jsonb_build_array(a.id, (extract(epoch FROM a.created_at) * 1000000)::bigint, a.user_id, a.service,
        a.database_role, a.request_id, a.table_name, a.row_key, a.operation, a.before, a.after) AS row
    FROM audit_log a WHERE a.id > range.after AND a.id <= range.last
) r ON true
GROUP BY place ORDER BY place
