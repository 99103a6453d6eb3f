-- Makes accounts of an import's rows, but where the address is known already; unique index users_email_key.
INSERT INTO users (email, hashed_password, is_verified, is_active, is_admin)
SELECT email, hashed_password, is_verified, is_active, is_admin
FROM customer_imports
WHERE import_id = $1
ORDER BY line
ON CONFLICT (email) DO NOTHING
