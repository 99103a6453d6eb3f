-- What acts for an account or logs in to it without its password; indexes api_keys_user and passkeys_user.
SELECT (SELECT count(*) FROM api_keys WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > now()) AS api_keys,
    (SELECT count(*) FROM passkeys WHERE user_id = $1 AND suspected_at IS NULL) AS passkeys
