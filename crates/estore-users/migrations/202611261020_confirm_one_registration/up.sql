-- Whoever registers an address has proved nothing yet. The link of a letter confirms the registration that it was sent for,
-- with the password of that one.
ALTER TABLE verification_tokens ADD COLUMN hashed_password VARCHAR(255)
    CONSTRAINT verification_tokens_password_form CHECK (hashed_password = '!' OR hashed_password ~ '^\$(argon2id|2[abxy])\$');
-- Whether it was registered more than once before anybody proved it: then nobody knows whose the last password is.
ALTER TABLE users ADD COLUMN registered_again BOOLEAN NOT NULL DEFAULT false;
