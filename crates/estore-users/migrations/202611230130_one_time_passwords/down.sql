-- destructive: which passwords are good only for setting another one
ALTER TABLE users DROP COLUMN password_is_one_time;
