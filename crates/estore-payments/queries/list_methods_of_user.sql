-- A page of one customer's active payment methods, newest first. Index idx_payment_methods_user.
SELECT id, user_id::integer, payment_type, details, details_sealed_for, is_active, created_at
FROM payment_methods WHERE user_id = $1::text AND is_active AND id < $2 ORDER BY id DESC LIMIT $3
