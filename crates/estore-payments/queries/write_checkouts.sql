-- Writes the checkouts whose keys are still their own, with the intent to charge each, their lines as pending orders, their
-- first events and the news; the keys are locked in key order to the commit. Not those whose hold was left to another
-- server's commit ($10). Answers the server, with each checkout whose key is its own and the orders that were written.
-- Primary keys; the state as an expression, see lock_running_keys.sql.
WITH server AS MATERIALIZED (
    SELECT system_identifier::text || '/' || extract(epoch FROM pg_postmaster_start_time())::text AS server
    FROM pg_control_system()
), mine AS MATERIALIZED (
    SELECT a.*
    FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::bigint[], $6::integer[], $7::text[], $8::jsonb[],
                $9::timestamptz[], $10::text[])
        AS a (id, user_id, key, operation, total_amount, payment_method_id, gateway_token, metadata, created_at, held_on)
    JOIN idempotency_keys k ON k.user_id = a.user_id AND k.key = a.key
    WHERE k.resource_id = a.id AND k.state || '' = 'running'
    ORDER BY k.user_id, k.key
    FOR UPDATE OF k
), asked AS MATERIALIZED (
    SELECT mine.* FROM mine, server WHERE held_on IS NULL OR held_on = server
), written AS (
    INSERT INTO checkouts (id, user_id, idempotency_key, operation, total_amount, currency, payment_method_id, metadata,
                           next_attempt_at, created_at)
    SELECT id, user_id, key, operation, total_amount, $17, payment_method_id, metadata,
           now() + make_interval(secs => $19::double precision), created_at
    FROM asked
), charged AS (
    INSERT INTO charges (checkout_id, user_id, amount, currency, gateway, gateway_token, created_at)
    SELECT id, user_id, total_amount, $17, $18, gateway_token, created_at FROM asked
), told AS (
    INSERT INTO outbox (topic, checkout_id) SELECT 'checkout.created', id FROM asked
), ordered AS (
    INSERT INTO orders (checkout_id, user_id, product_id, quantity, unit_price, total_amount, currency,
                        payment_method_id, metadata, created_at)
    SELECT a.id, a.user_id::text, l.product_id::text, l.quantity, l.unit_price, l.total_amount, $17,
           a.payment_method_id, l.metadata, a.created_at
    FROM unnest($11::uuid[], $12::integer[], $13::integer[], $14::integer[], $15::integer[], $16::jsonb[])
        WITH ORDINALITY AS l (checkout_id, product_id, quantity, unit_price, total_amount, metadata, n)
    JOIN asked a ON a.id = l.checkout_id
    ORDER BY l.n
    RETURNING id, checkout_id, user_id, product_id, created_at
), evented AS (
    INSERT INTO order_events (order_id, checkout_id, user_id, type, status, actor_id, created_at)
    SELECT id, checkout_id, user_id::integer, 'order.created', 'pending', user_id::integer, created_at
    FROM ordered ORDER BY id
)
SELECT server, mine.id AS checkout_id, o.product_id::integer, o.id
FROM server LEFT JOIN mine ON true LEFT JOIN ordered o ON o.checkout_id = mine.id
