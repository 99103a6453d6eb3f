-- Locks those of the checkouts that are still pending, in id order. Primary key; the state as an expression,
-- or else checkouts_pending is read, with what every checkout has left in it since the last vacuum.
SELECT id FROM checkouts WHERE id = ANY ($1::uuid[]) AND status || '' = 'pending' ORDER BY id FOR UPDATE
