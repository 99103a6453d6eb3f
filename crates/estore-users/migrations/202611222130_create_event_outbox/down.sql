-- destructive: events of accounts that have not been told, and letters about orders
DROP INDEX mails_waiting;
DELETE FROM mails WHERE event_id IS NOT NULL;
ALTER TABLE mails
    DROP CONSTRAINT mails_kind_known,
    DROP COLUMN event_id,
    ADD CONSTRAINT mails_kind_known CHECK (kind IN (
        'verification', 'already_registered', 'password_reset', 'password_changed',
        'email_change', 'email_change_asked', 'email_changed', 'erased'));
CREATE INDEX mails_waiting ON mails (next_attempt_at) WHERE sent_at IS NULL AND given_up_at IS NULL;
DROP TABLE event_outbox;
