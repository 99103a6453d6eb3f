-- A request that ended before it was paid for gives its stock back before its key is free: meanwhile the key says so.
ALTER TABLE idempotency_keys
    DROP CONSTRAINT idempotency_keys_state_check,
    ADD CONSTRAINT idempotency_keys_state_check CHECK (state IN ('running', 'undoing', 'finished'));
CREATE INDEX idempotency_keys_undoing ON idempotency_keys (created_at) WHERE state = 'undoing';
