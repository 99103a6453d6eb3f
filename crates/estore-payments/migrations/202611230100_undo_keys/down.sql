-- destructive: keys that were being undone are free; their stock is given back by the sweep of orphans
DELETE FROM idempotency_keys WHERE state = 'undoing';
DROP INDEX idempotency_keys_undoing;
ALTER TABLE idempotency_keys
    DROP CONSTRAINT idempotency_keys_state_check,
    ADD CONSTRAINT idempotency_keys_state_check CHECK (state IN ('running', 'finished'));
