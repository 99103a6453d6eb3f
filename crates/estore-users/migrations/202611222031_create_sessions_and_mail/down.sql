-- destructive: sessions, staff roles, pending resets and address changes, undelivered mail
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'estore_readonly') THEN
        REVOKE SELECT (id, email, is_active, is_verified, is_admin, created_at, updated_at) ON users FROM estore_readonly;
        GRANT SELECT ON users TO estore_readonly;
    END IF;
END $$;
DROP TABLE customer_imports;
DROP TABLE mails;
DROP TABLE email_changes;
DROP TABLE password_reset_tokens;
DROP TABLE refresh_tokens;
DROP TABLE sessions;
DROP TABLE user_roles;
DROP INDEX users_admins;
DROP INDEX users_email_trigrams;
