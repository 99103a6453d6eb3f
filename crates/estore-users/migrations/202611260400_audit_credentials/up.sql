-- Keys of programs and second factors are written down as they come and go: that a secret changed, and never the secret.
-- What changes whenever they are used is left out.
SELECT audit_changes_of('api_keys', 'id', 'key_hash,hint', 'last_used_at');
SELECT audit_changes_of('totp_factors', 'user_id', 'secret', 'last_step');
SELECT audit_changes_of('recovery_codes', 'user_id', 'code', '');
