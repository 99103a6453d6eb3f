-- Takes what is personal out of what the customers $1 leave behind, once and again; the gateway $2, where one is named, is
-- to forget their cards. Orders, charges and the books stay, without what was written beside them. Indexes
-- idx_payment_methods_user and orders_recent_of_user, primary keys.
WITH gone AS (
    SELECT DISTINCT user_id FROM unnest($1::integer[]) AS user_id
), erased AS (
    INSERT INTO erased_customers (user_id) SELECT user_id FROM gone ON CONFLICT (user_id) DO NOTHING
), unwanted AS (
    INSERT INTO unwanted_cards (gateway, gateway_token, user_id)
    SELECT m.gateway, m.gateway_token, gone.user_id
    FROM gone JOIN payment_methods m ON m.user_id = gone.user_id::text
    WHERE m.gateway = $2::text AND m.is_active
    ON CONFLICT (gateway, gateway_token) DO NOTHING
), methods AS (
    UPDATE payment_methods m
    SET is_active = FALSE, gateway_token = 'erased', fingerprint = 'erased', updated_at = now(),
        details = CASE payment_type
            WHEN 'card' THEN '{"brand": "erased", "last4": "0000", "expiry_month": 1, "expiry_year": 2000}'::jsonb
            ELSE '{}'::jsonb
        END
    FROM gone WHERE m.user_id = gone.user_id::text AND m.fingerprint <> 'erased'
), answers AS (
    DELETE FROM idempotency_keys k USING gone WHERE k.user_id = gone.user_id AND k.state = 'finished'
), noted AS (
    UPDATE checkouts c SET metadata = '{}'
    FROM gone JOIN orders o ON o.user_id = gone.user_id::text
    WHERE c.id = o.checkout_id AND c.metadata <> '{}'
)
UPDATE orders o SET metadata = '{}'
FROM gone WHERE o.user_id = gone.user_id::text AND o.metadata <> '{}'
