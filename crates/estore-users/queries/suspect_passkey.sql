-- Refuses a passkey from now on whose counter did not go on; primary key.
UPDATE passkeys
SET suspected_at = now()
WHERE id = $1 AND suspected_at IS NULL AND sign_count >= $2 AND sign_count > 0
RETURNING id
