-- A challenge for a session, good for $5 seconds, in place of its earlier one of this purpose; unique index
-- passkey_challenges_one_a_session.
INSERT INTO passkey_challenges (challenge, purpose, session_id, user_handle, expires_at)
VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5::double precision))
ON CONFLICT (session_id, purpose) DO UPDATE
SET challenge = excluded.challenge, user_handle = excluded.user_handle, created_at = now(), expires_at = excluded.expires_at
