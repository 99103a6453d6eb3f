-- Makes accounts of an import's rows, but where the address is known already; how many, and how many of them have not proved
-- it. Unique index users_email_key.
WITH made AS (
    INSERT INTO users (email, hashed_password, is_verified, is_active, is_admin)
    SELECT email, hashed_password, is_verified, is_active, is_admin
    FROM customer_imports
    WHERE import_id = $1
    ORDER BY line
    ON CONFLICT (email) DO NOTHING
    RETURNING is_verified
)
SELECT count(*) AS made, count(*) FILTER (WHERE NOT is_verified) AS unverified FROM made
