-- destructive: erasures that the other services have not heard of
DELETE FROM event_outbox WHERE type = 'user.erased';
ALTER TABLE event_outbox
    DROP CONSTRAINT event_outbox_type_known,
    ADD CONSTRAINT event_outbox_type_known CHECK (type IN ('user.verified'));
