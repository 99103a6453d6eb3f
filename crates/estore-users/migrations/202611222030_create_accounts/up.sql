CREATE TABLE users (
    id SERIAL PRIMARY KEY,
    email VARCHAR(255) UNIQUE NOT NULL,
    hashed_password VARCHAR(255) NOT NULL,
    is_active BOOLEAN DEFAULT true,
    is_verified BOOLEAN DEFAULT false,
    is_admin BOOLEAN DEFAULT false,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP WITH TIME ZONE
);
CREATE INDEX idx_users_email ON users(email);
CREATE TABLE verification_tokens (
    id SERIAL PRIMARY KEY,
    user_id INTEGER REFERENCES users(id),
    token VARCHAR(255) UNIQUE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT fk_user FOREIGN KEY(user_id) REFERENCES users(id) ON DELETE CASCADE
);
CREATE INDEX idx_verification_tokens_user ON verification_tokens(user_id);
CREATE INDEX idx_verification_tokens_token ON verification_tokens(token);

-- Every address is stored in one form, so that one person cannot be two accounts.
ALTER TABLE users
    ADD CONSTRAINT users_email_form CHECK (email = lower(email) AND email LIKE '_%@_%' AND email !~ '\s'),
    -- '!' is the hash of no password: an erased account.
    ADD CONSTRAINT users_hashed_password_form CHECK (hashed_password = '!' OR hashed_password ~ '^\$(argon2id|2[abxy])\$'),
    ADD CONSTRAINT users_flags_known CHECK (is_active IS NOT NULL AND is_verified IS NOT NULL AND is_admin IS NOT NULL),
    ADD CONSTRAINT users_created_at_known CHECK (created_at IS NOT NULL);
ALTER TABLE verification_tokens
    ADD CONSTRAINT verification_tokens_hashed CHECK (token ~ '^[0-9a-f]{64}$'),
    ADD CONSTRAINT verification_tokens_user_known CHECK (user_id IS NOT NULL),
    ADD CONSTRAINT verification_tokens_times CHECK (created_at IS NOT NULL AND expires_at > created_at);
