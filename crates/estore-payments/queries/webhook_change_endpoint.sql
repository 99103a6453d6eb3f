-- Writes a changed endpoint. Primary key.
UPDATE webhook_endpoints
SET url = $2, events = $3, description = $4, is_active = $5, inactive_reason = $6, updated_at = $7
WHERE id = $1
