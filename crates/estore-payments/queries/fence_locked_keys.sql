-- Fences keys that this transaction has locked and under which nothing was written: nothing can be written any more.
-- Index on resource_id.
UPDATE idempotency_keys SET state = 'undoing'
WHERE resource_id = ANY ($1::uuid[]) AND state = 'running'
  AND NOT EXISTS (SELECT FROM checkouts c WHERE c.id = resource_id)
  AND NOT EXISTS (SELECT FROM refunds r WHERE r.id = resource_id)
