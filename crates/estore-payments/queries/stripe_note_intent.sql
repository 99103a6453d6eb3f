-- Notes the intent of a charge, or that it is closed (none), unless something is noted already. Primary key.
INSERT INTO stripe_intents (key, intent) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING
