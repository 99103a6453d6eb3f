-- Writes the lines of checkouts as pending orders, with their first event. No index read.
WITH ordered AS (
    INSERT INTO orders (checkout_id, user_id, product_id, quantity, unit_price, total_amount, currency,
                        payment_method_id, metadata, created_at)
    SELECT a.checkout_id, a.user_id::text, a.product_id::text, a.quantity, a.unit_price, a.total_amount, $10,
           a.payment_method_id, a.metadata, a.created_at
    FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::integer[], $5::integer[], $6::integer[], $7::integer[],
                $8::jsonb[], $9::timestamptz[])
        WITH ORDINALITY AS a (checkout_id, user_id, product_id, quantity, unit_price, total_amount, payment_method_id,
                              metadata, created_at, n)
    ORDER BY a.n
    RETURNING id, checkout_id, user_id, product_id, created_at
), told AS (
    INSERT INTO order_events (order_id, checkout_id, user_id, type, status, actor_id, created_at)
    SELECT id, checkout_id, user_id::integer, 'order.created', 'pending', user_id::integer, created_at
    FROM ordered ORDER BY id
)
SELECT checkout_id, product_id::integer, id FROM ordered
