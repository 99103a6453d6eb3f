-- A key that is good for $7 days, unless its maker has $8 good ones; index api_keys_user, primary key of users.
INSERT INTO api_keys (id, user_id, name, key_hash, hint, scopes, expires_at)
SELECT $1::uuid, $2::int, $3::text, $4::text, $5::text, $6::text[], now() + $7::int * interval '1 day'
WHERE (SELECT count(*) FROM api_keys WHERE user_id = $2 AND revoked_at IS NULL AND expires_at > now()) < $8::bigint
RETURNING id, user_id, name, hint, scopes, created_at, expires_at, last_used_at, revoked_at,
    (SELECT email FROM users WHERE users.id = user_id) AS email
