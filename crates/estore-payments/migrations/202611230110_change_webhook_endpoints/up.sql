-- Endpoints can be changed, paused by hand or by their receiver, and given a new secret.

ALTER TABLE webhook_endpoints
    -- The secret is derived from the id and this number; for a while after a rotation older ones sign too.
    ADD COLUMN secret_version INTEGER NOT NULL DEFAULT 1 CHECK (secret_version > 0),
    ADD COLUMN old_secret_version INTEGER CHECK (old_secret_version > 0),
    ADD COLUMN old_secret_until TIMESTAMP WITH TIME ZONE,
    -- Why it is not delivered to.
    ADD COLUMN inactive_reason VARCHAR(255),
    ADD COLUMN deleted_at TIMESTAMP WITH TIME ZONE,
    ADD CONSTRAINT webhook_endpoints_old_secret_ends CHECK ((old_secret_version IS NULL) = (old_secret_until IS NULL)),
    ADD CONSTRAINT webhook_endpoints_reason_while_inactive CHECK (NOT is_active OR inactive_reason IS NULL),
    ADD CONSTRAINT webhook_endpoints_deleted_is_inactive CHECK (deleted_at IS NULL OR NOT is_active);
-- Until now only deleted ones were inactive.
UPDATE webhook_endpoints SET deleted_at = coalesce(updated_at, now()) WHERE NOT is_active;
