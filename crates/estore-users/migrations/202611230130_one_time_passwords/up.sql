-- A password that somebody else has seen is good for setting another one, and for nothing else.
ALTER TABLE users ADD COLUMN password_is_one_time BOOLEAN NOT NULL DEFAULT false;
