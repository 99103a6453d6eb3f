-- Deletes an endpoint. Primary key.
UPDATE webhook_endpoints
SET is_active = false, inactive_reason = 'it was deleted', deleted_at = now(), updated_at = now()
WHERE id = $1 AND deleted_at IS NULL
