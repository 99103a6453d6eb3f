-- Of these checkouts, those that are not written and never can be: no row, no running key. Primary keys.
SELECT a.id FROM unnest($1::uuid[]) AS a (id)
WHERE NOT EXISTS (SELECT FROM checkouts c WHERE c.id = a.id)
  AND NOT EXISTS (SELECT FROM idempotency_keys k WHERE k.resource_id = a.id AND k.state = 'running')
