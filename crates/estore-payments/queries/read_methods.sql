-- Payment methods by id. Primary key.
SELECT id, user_id::integer, payment_type, details, details_sealed_for, is_active, created_at, gateway, gateway_token
FROM payment_methods WHERE id = ANY ($1::integer[])
