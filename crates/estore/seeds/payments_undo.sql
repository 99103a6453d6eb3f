-- A key whose request is being undone.
INSERT INTO idempotency_keys (user_id, key, request_hash, resource_id, state)
VALUES (1, 'cut off', sha256('cut off'), gen_random_uuid(), 'undoing');
