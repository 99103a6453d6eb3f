-- Says for whom the rest of this transaction runs; row-level security reads both. Touches no table.
SELECT set_config('estore.user_id', $1, true), set_config('estore.role', $2, true)
