-- Sessions that end: one by a logout, one with its account, each told of by the schema itself.
UPDATE sessions SET ended_at = now(), end_reason = 'logout' WHERE user_id = 6;
DELETE FROM sessions WHERE user_id = 7;
