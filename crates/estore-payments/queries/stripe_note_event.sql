-- An event has had its effect. Primary key.
INSERT INTO stripe_events (id, type, created_at) VALUES ($1, $2, to_timestamp($3::bigint)) ON CONFLICT (id) DO NOTHING
