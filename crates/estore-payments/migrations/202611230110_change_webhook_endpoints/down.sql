-- destructive: rotated webhook secrets (the first one signs again), and that endpoints were only paused
-- Endpoints that are paused count as deleted again.
ALTER TABLE webhook_endpoints
    DROP COLUMN deleted_at,
    DROP COLUMN inactive_reason,
    DROP COLUMN old_secret_until,
    DROP COLUMN old_secret_version,
    DROP COLUMN secret_version;
