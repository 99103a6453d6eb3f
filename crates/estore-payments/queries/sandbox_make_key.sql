-- Keeps the first fingerprint key that is offered. Primary key.
INSERT INTO sandbox_fingerprint_key (key) VALUES ($1) ON CONFLICT DO NOTHING
