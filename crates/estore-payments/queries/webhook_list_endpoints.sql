-- A page of the active endpoints, oldest first. Primary key.
SELECT id, url, events, description, is_active, created_at FROM webhook_endpoints
WHERE is_active AND ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT $2
