-- One of a customer's payment methods. Primary key.
SELECT id, user_id::integer, payment_type, details, details_sealed_for, is_active, created_at
FROM payment_methods WHERE user_id = $1::text AND id = $2
