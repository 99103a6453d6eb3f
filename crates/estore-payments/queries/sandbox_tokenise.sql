-- The token of a card; the same card has the same token. Index on fingerprint.
INSERT INTO sandbox_tokens (token, fingerprint, behaviour) VALUES ($1, $2, $3)
ON CONFLICT (fingerprint) DO UPDATE SET behaviour = excluded.behaviour
RETURNING token
