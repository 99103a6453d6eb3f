-- Streams the rows of an import into staging.
COPY customer_imports (import_id, line, email, hashed_password, is_verified, is_active, is_admin) FROM STDIN
