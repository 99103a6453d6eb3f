-- Checkouts, refunds, keys and events that nobody has taken up for 10 minutes. Partial indexes.
SELECT format('checkout %s is pending, its next attempt was due at %s', id, next_attempt_at)
FROM checkouts WHERE status = 'pending' AND next_attempt_at < now() - interval '10 minutes'
UNION ALL
SELECT format('refund %s is pending, its next attempt was due at %s', id, next_attempt_at)
FROM refunds WHERE state = 'pending' AND next_attempt_at < now() - interval '10 minutes'
UNION ALL
SELECT format('user %s, key %s is %s since %s and nothing was written', user_id, key, state, created_at)
FROM idempotency_keys k
WHERE state IN ('running', 'undoing') AND created_at < now() - interval '10 minutes'
  AND NOT EXISTS (SELECT FROM checkouts c WHERE c.id = k.resource_id)
  AND NOT EXISTS (SELECT FROM refunds r WHERE r.id = k.resource_id)
UNION ALL
SELECT format('outbox %s (%s of checkout %s) is untold since %s', id, topic, checkout_id, created_at)
FROM outbox WHERE created_at < now() - interval '10 minutes'
