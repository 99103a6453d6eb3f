-- The charge that an intent was made for. Unique index of stripe_intents.intent.
SELECT key FROM stripe_intents WHERE intent = $1
