-- The present hash of an account's password; primary key.
SELECT hashed_password FROM users WHERE id = $1
