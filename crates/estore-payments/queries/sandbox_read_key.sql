-- The fingerprint key. Primary key.
SELECT key FROM sandbox_fingerprint_key
