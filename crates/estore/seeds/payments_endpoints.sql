-- Endpoints that are paused, deleted, and under two secrets.
INSERT INTO webhook_endpoints (id, url, events, created_by, is_active, inactive_reason, deleted_at)
VALUES (gen_random_uuid(), 'https://shop.example/gone', '{all}', 1, false, 'the receiver answered 410 Gone', NULL),
       (gen_random_uuid(), 'https://shop.example/old', '{order.paid}', 1, false, NULL, now());
UPDATE webhook_endpoints SET secret_version = 2, old_secret_version = 1, old_secret_until = now() WHERE is_active;
