-- A new endpoint, unless there are as many active ones as there may be. Primary key.
INSERT INTO webhook_endpoints (id, url, events, description, created_by)
SELECT $1, $2, $3, $4, $5 WHERE (SELECT count(*) FROM webhook_endpoints WHERE is_active) < $6::bigint
RETURNING id, url, events, description, is_active, created_at
