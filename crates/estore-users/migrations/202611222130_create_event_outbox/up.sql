-- What is still to be told of accounts; a row is written in the statement of its change and goes when it has been told.
CREATE TABLE event_outbox (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id UUID NOT NULL DEFAULT gen_random_uuid(),
    type VARCHAR(32) NOT NULL CONSTRAINT event_outbox_type_known CHECK (type IN ('user.verified')),
    subject VARCHAR(64) NOT NULL,
    data JSONB NOT NULL CONSTRAINT event_outbox_data_is_object CHECK (jsonb_typeof(data) = 'object'),
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- Letters about orders: one an event, and behind the letters that somebody waits for.
ALTER TABLE mails
    ADD COLUMN event_id UUID CONSTRAINT mails_one_per_event UNIQUE,
    DROP CONSTRAINT mails_kind_known,
    ADD CONSTRAINT mails_kind_known CHECK (kind IN (
        'verification', 'already_registered', 'password_reset', 'password_changed',
        'email_change', 'email_change_asked', 'email_changed', 'erased',
        'order_paid', 'order_shipped', 'order_refunded'));
DROP INDEX mails_waiting;
CREATE INDEX mails_waiting ON mails ((event_id IS NOT NULL), next_attempt_at)
    WHERE sent_at IS NULL AND given_up_at IS NULL;
