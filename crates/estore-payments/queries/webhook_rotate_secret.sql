-- Gives an endpoint its next secret; those from version $2 on sign too for $3 hours. Primary key.
UPDATE webhook_endpoints
SET secret_version = secret_version + 1, old_secret_version = $2,
    old_secret_until = now() + make_interval(hours => $3), updated_at = now()
WHERE id = $1
RETURNING id, url, events, description, is_active, inactive_reason, old_secret_until, created_at, updated_at, secret_version
