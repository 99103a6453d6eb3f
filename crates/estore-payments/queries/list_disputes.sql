-- A page of the disputes, newest first, of one state where $2. Primary key.
SELECT id, gateway, gateway_reference, checkout_id, user_id, amount, currency, reason, state, opened_at, closed_at
FROM disputes WHERE ($1::uuid IS NULL OR id < $1) AND ($2::text IS NULL OR state = $2) ORDER BY id DESC LIMIT $3
