-- The account of an address, locked so that its mails are counted one request at a time; unique index users_email_key.
SELECT id, is_active, is_verified, registered_again
FROM users
WHERE email = $1
FOR UPDATE
