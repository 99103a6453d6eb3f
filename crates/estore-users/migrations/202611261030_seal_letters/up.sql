-- Letters that wait hold tokens in clear: their text is sealed for a name that is given before the row is written. Those
-- that wait already get one by their number.
ALTER TABLE mails ADD COLUMN sealed_for UUID;
UPDATE mails SET sealed_for = lpad(to_hex(id), 32, '0')::uuid;
ALTER TABLE mails ALTER COLUMN sealed_for SET DEFAULT gen_random_uuid(), ALTER COLUMN sealed_for SET NOT NULL;
