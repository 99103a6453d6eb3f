-- Locks those of the checkouts that are still pending, in id order. Primary key.
SELECT id FROM checkouts WHERE id = ANY ($1::uuid[]) AND status = 'pending' ORDER BY id FOR UPDATE
