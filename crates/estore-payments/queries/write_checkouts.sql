-- Writes checkouts, the intent to charge each and the news of it. No index read.
WITH asked AS (
    SELECT * FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::bigint[], $6::integer[], $7::text[],
                         $8::jsonb[], $9::timestamptz[])
        AS a (id, user_id, key, operation, total_amount, payment_method_id, gateway_token, metadata, created_at)
), written AS (
    INSERT INTO checkouts (id, user_id, idempotency_key, operation, total_amount, currency, payment_method_id, metadata,
                           next_attempt_at, created_at)
    SELECT id, user_id, key, operation, total_amount, $10, payment_method_id, metadata,
           now() + make_interval(secs => $12::double precision), created_at
    FROM asked
), told AS (
    INSERT INTO outbox (topic, checkout_id) SELECT 'checkout.created', id FROM asked
)
INSERT INTO charges (checkout_id, user_id, amount, currency, gateway, gateway_token, created_at)
SELECT id, user_id, total_amount, $10, $11, gateway_token, created_at FROM asked
