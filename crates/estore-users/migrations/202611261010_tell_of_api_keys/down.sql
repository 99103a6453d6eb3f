-- destructive: letters about API keys
DELETE FROM mails WHERE kind = 'api_key_made';
ALTER TABLE mails
    DROP CONSTRAINT mails_kind_known,
    ADD CONSTRAINT mails_kind_known CHECK (kind IN (
        'verification', 'already_registered', 'password_reset', 'password_changed',
        'email_change', 'email_change_asked', 'email_changed', 'erased', 'totp_on', 'totp_off', 'recovery_code_used',
        'passkey_added', 'passkey_removed', 'passkey_suspected',
        'order_paid', 'order_shipped', 'order_refunded'));
