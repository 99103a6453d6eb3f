-- Deactivates one of the customer's payment methods; the gateway $3, where one is named, is to forget its card.
-- Primary key.
WITH gone AS (
    UPDATE payment_methods SET is_active = FALSE, updated_at = now()
    WHERE id = $1 AND user_id = $2::text AND is_active
    RETURNING id, user_id::integer, gateway, gateway_token
), unwanted AS (
    INSERT INTO unwanted_cards (gateway, gateway_token, user_id)
    SELECT gateway, gateway_token, user_id FROM gone WHERE gateway = $3::text
    ON CONFLICT (gateway, gateway_token) DO NOTHING
)
SELECT id FROM gone
