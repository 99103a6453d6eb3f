-- A refund, locked, if it is still pending. Primary key.
SELECT id FROM refunds WHERE id = $1 AND state = 'pending' FOR UPDATE
