-- The end of an account is told to the services that hold something of its owner.
ALTER TABLE event_outbox
    DROP CONSTRAINT event_outbox_type_known,
    ADD CONSTRAINT event_outbox_type_known CHECK (type IN ('user.verified', 'user.erased'));
INSERT INTO event_outbox (type, subject, data)
SELECT 'user.erased', 'user/' || id, jsonb_build_object('id', id) FROM users WHERE email = 'erased-' || id || '@invalid';
