-- Stores the same password under the present hash, unless it was changed meanwhile, also for letters that confirm it;
-- primary key, index idx_verification_tokens_user.
WITH confirming AS (
    UPDATE verification_tokens SET hashed_password = $3 WHERE user_id = $1 AND hashed_password = $2
)
UPDATE users
SET hashed_password = $3
WHERE id = $1 AND hashed_password = $2
RETURNING id
