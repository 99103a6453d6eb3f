-- What became of sales. Primary key.
SELECT key, state, amount FROM sandbox_sales WHERE key = ANY ($1::uuid[])
