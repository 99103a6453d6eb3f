-- Adds a payment method, or finds the same card of the same customer and notes its new expiry. Index payment_methods_one_per_card.
INSERT INTO payment_methods (user_id, payment_type, details, gateway, gateway_token, fingerprint)
VALUES ($1::integer::text, $6, $2, $3, $4, $5)
ON CONFLICT (user_id, gateway, fingerprint) WHERE is_active
DO UPDATE SET details = excluded.details, gateway_token = excluded.gateway_token, updated_at = now()
RETURNING id, user_id::integer, payment_type, details, is_active, created_at, gateway, gateway_token, (xmax = 0) AS is_new
