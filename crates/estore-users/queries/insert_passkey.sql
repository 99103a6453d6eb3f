-- A passkey, unless its account has $12 of them; index passkeys_user, unique index passkeys_credential_once.
INSERT INTO passkeys (id, user_id, name, credential_id, public_key, user_handle, sign_count, transports, is_second_step,
    is_backup_eligible, is_backed_up)
SELECT $1::uuid, $2::int, $3::text, $4::bytea, $5::bytea, $6::bytea, $7::bigint, $8::text[], $9::boolean, $10::boolean,
    $11::boolean
WHERE (SELECT count(*) FROM passkeys WHERE user_id = $2) < $12::bigint
RETURNING id, name, transports, is_second_step, is_backed_up, created_at, last_used_at, suspected_at
