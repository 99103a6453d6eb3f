-- An endpoint that is not deleted, for a change. Primary key.
SELECT id, url, events, description, is_active, inactive_reason,
    CASE WHEN old_secret_until > now() THEN old_secret_until END AS old_secret_until, created_at, updated_at,
    secret_version, CASE WHEN old_secret_until > now() THEN old_secret_version END AS old_secret_version
FROM webhook_endpoints WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE
