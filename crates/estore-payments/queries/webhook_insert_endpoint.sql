-- A new endpoint, unless there are as many as there may be. Primary key.
INSERT INTO webhook_endpoints (id, url, events, description, created_by)
SELECT $1, $2, $3, $4, $5 WHERE (SELECT count(*) FROM webhook_endpoints WHERE deleted_at IS NULL) < $6::bigint
RETURNING id, url, events, description, is_active, inactive_reason, old_secret_until, created_at, updated_at
