-- destructive: second factors and recovery codes; their accounts are open to a password alone
DELETE FROM mails WHERE kind IN ('totp_on', 'totp_off', 'recovery_code_used');
ALTER TABLE mails
    DROP CONSTRAINT mails_kind_known,
    ADD CONSTRAINT mails_kind_known CHECK (kind IN (
        'verification', 'already_registered', 'password_reset', 'password_changed',
        'email_change', 'email_change_asked', 'email_changed', 'erased',
        'order_paid', 'order_shipped', 'order_refunded'));
ALTER TABLE sessions DROP COLUMN authenticated_at;
DROP TABLE recovery_codes;
DROP TABLE totp_factors;
