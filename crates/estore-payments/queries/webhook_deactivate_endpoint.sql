-- Ends an active endpoint. Primary key.
UPDATE webhook_endpoints SET is_active = false, updated_at = now() WHERE id = $1 AND is_active
