-- Another name for a passkey; primary key.
UPDATE passkeys
SET name = $3
WHERE id = $1 AND user_id = $2
RETURNING id, name, transports, is_second_step, is_backed_up, created_at, last_used_at, suspected_at
