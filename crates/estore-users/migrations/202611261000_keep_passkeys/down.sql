-- destructive: passkeys, and the recovery codes of accounts that have no authenticator; those are open to a password alone
DELETE FROM mails WHERE kind IN ('passkey_added', 'passkey_removed', 'passkey_suspected');
ALTER TABLE mails
    DROP CONSTRAINT mails_kind_known,
    ADD CONSTRAINT mails_kind_known CHECK (kind IN (
        'verification', 'already_registered', 'password_reset', 'password_changed',
        'email_change', 'email_change_asked', 'email_changed', 'erased', 'totp_on', 'totp_off', 'recovery_code_used',
        'order_paid', 'order_shipped', 'order_refunded'));
DELETE FROM recovery_codes WHERE NOT EXISTS (SELECT FROM totp_factors WHERE totp_factors.user_id = recovery_codes.user_id);
ALTER TABLE recovery_codes
    DROP CONSTRAINT recovery_codes_user_id_fkey,
    ADD CONSTRAINT recovery_codes_user_id_fkey FOREIGN KEY (user_id) REFERENCES totp_factors(user_id) ON DELETE CASCADE;
DROP TABLE passkey_challenges;
DROP TABLE passkeys;
