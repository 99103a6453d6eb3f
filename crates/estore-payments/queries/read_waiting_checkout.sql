-- The checkout under a key, if it waits for its buyer. Primary keys.
SELECT c.id FROM idempotency_keys k JOIN checkouts c ON c.id = k.resource_id
WHERE k.user_id = $1 AND k.key = $2 AND c.status = 'pending' AND c.waits_for = 'buyer'
