-- Adds a payment method, or finds the same card of the same customer and notes its new expiry; the token that it had is
-- then to be forgotten, where $7 says that the gateway forgets. Index payment_methods_one_per_card.
WITH replaced AS (
    INSERT INTO unwanted_cards (gateway, gateway_token, user_id)
    SELECT gateway, gateway_token, $1::integer FROM payment_methods
    WHERE $7::boolean AND user_id = $1::integer::text AND gateway = $3 AND fingerprint = $5 AND is_active
      AND gateway_token <> $4
    ON CONFLICT DO NOTHING
)
INSERT INTO payment_methods (user_id, payment_type, details, details_sealed_for, gateway, gateway_token, fingerprint)
VALUES ($1::integer::text, $6, $2, $8, $3, $4, $5)
ON CONFLICT (user_id, gateway, fingerprint) WHERE is_active
DO UPDATE SET details = excluded.details, details_sealed_for = excluded.details_sealed_for,
    gateway_token = excluded.gateway_token, updated_at = now()
RETURNING id, user_id::integer, payment_type, details, details_sealed_for, is_active, created_at, gateway, gateway_token,
    (xmax = 0) AS is_new
