CREATE INDEX passkey_challenges_of_nobody ON passkey_challenges (expires_at) WHERE session_id IS NULL;
