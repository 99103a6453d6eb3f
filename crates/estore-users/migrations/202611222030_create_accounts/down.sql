-- destructive: every account and its unused verification tokens
DROP TABLE verification_tokens;
DROP TABLE users;
