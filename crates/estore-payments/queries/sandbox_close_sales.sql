-- Closes sales that were not made, in key order, and says what became of each. Primary key.
-- Those that are there are written anew as they are: the commit waits for the disk then, and with it for theirs.
INSERT INTO sandbox_sales (key, state, amount)
SELECT DISTINCT key, 'closed', 0 FROM unnest($1::uuid[]) AS a (key) ORDER BY key
ON CONFLICT (key) DO UPDATE SET state = sandbox_sales.state
RETURNING key, state
