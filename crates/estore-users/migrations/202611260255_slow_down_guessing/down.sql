-- destructive: how often log-ins failed of late, and from which addresses sessions began, as hashes
ALTER TABLE sessions DROP COLUMN address_key;
DROP TABLE log_in_failures;
