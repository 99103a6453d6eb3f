-- Makes, declines or closes sales by key, each key once, in key order. Primary key.
INSERT INTO sandbox_sales (key, state, amount)
SELECT a.key, a.state, a.amount FROM unnest($1::uuid[], $2::text[], $3::bigint[]) AS a (key, state, amount)
ORDER BY a.key
ON CONFLICT (key) DO NOTHING
