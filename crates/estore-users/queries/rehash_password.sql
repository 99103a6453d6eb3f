-- Stores the same password under the present hash, unless it was changed meanwhile; primary key.
UPDATE users
SET hashed_password = $3
WHERE id = $1 AND hashed_password = $2
RETURNING id
