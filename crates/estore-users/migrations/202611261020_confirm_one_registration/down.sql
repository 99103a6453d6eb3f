-- destructive: which registration a letter confirms; it confirms the last one again
ALTER TABLE users DROP COLUMN registered_again;
ALTER TABLE verification_tokens DROP COLUMN hashed_password;
