-- Makes or declines sales by key, each key once, in key order. Primary key.
-- The commit does not wait for the disk: the settlement that follows is made on the same server, and its commit does.
WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO sandbox_sales (key, state, amount)
SELECT a.key, a.state, a.amount FROM quick, unnest($1::uuid[], $2::text[], $3::bigint[]) AS a (key, state, amount)
ORDER BY a.key
ON CONFLICT (key) DO NOTHING
