-- Frees the keys of what has been undone. Index on resource_id.
DELETE FROM idempotency_keys WHERE resource_id = ANY ($1::uuid[]) AND state = 'undoing'
