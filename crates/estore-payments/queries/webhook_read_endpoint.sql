-- One endpoint, deleted or not. Primary key.
SELECT id, url, events, description, is_active, inactive_reason,
    CASE WHEN old_secret_until > now() THEN old_secret_until END AS old_secret_until, created_at, updated_at
FROM webhook_endpoints WHERE id = $1
