-- Deactivates one of the customer's payment methods. Primary key.
UPDATE payment_methods SET is_active = FALSE, updated_at = now() WHERE id = $1 AND user_id = $2::text AND is_active
