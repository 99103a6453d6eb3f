-- What is noted of a charge. Primary key.
SELECT intent FROM stripe_intents WHERE key = $1
