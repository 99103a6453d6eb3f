-- One endpoint. Primary key.
SELECT id, url, events, description, is_active, created_at FROM webhook_endpoints WHERE id = $1
