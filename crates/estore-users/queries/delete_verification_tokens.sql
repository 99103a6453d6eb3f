-- The other tokens of an account whose address has changed; index idx_verification_tokens_user.
DELETE FROM verification_tokens WHERE user_id = $1
