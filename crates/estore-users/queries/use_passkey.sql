-- Notes that a passkey was used, unless it was removed or refused meanwhile, or counts no further than before. Primary key.
UPDATE passkeys
SET sign_count = $2, is_backed_up = $3, last_used_at = now()
WHERE id = $1 AND suspected_at IS NULL AND (sign_count < $2 OR sign_count = 0 AND $2 = 0)
RETURNING id
