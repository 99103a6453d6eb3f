-- destructive: letters that wait, whose sealed text nobody before could read
DELETE FROM mails WHERE body LIKE 'sealed:%';
ALTER TABLE mails DROP COLUMN sealed_for;
