-- A page of the endpoints that are not deleted, oldest first. Primary key.
SELECT id, url, events, description, is_active, inactive_reason,
    CASE WHEN old_secret_until > now() THEN old_secret_until END AS old_secret_until, created_at, updated_at
FROM webhook_endpoints
WHERE deleted_at IS NULL AND ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT $2
