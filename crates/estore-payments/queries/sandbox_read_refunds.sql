-- The refunds that were made of these. Primary key.
SELECT key FROM sandbox_refunds WHERE key = ANY ($1::uuid[])
