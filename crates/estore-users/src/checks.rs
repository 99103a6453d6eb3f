//! What `estore verify` asks of `estore_users`.

use estore_kit::check::{AUDIT_IS_WRITTEN, Check, ROLES_ARE_NARROW, ROWS_ARE_CLOSED};

/// A customer's data is the customer's alone.
const OWN_DATA: u8 = 8;
/// A crash leaves nothing half done.
const NOTHING_HALF_DONE: u8 = 12;

/// The promises that this database can prove.
pub const CHECKS: &[Check] = &[
    ROWS_ARE_CLOSED,
    ROLES_ARE_NARROW,
    AUDIT_IS_WRITTEN,
    Check {
        promise: OWN_DATA,
        name: "addresses_have_one_form",
        sql: "SELECT format('user %s: the address is not in its normal form', id) FROM users \
              WHERE email <> lower(email) OR email <> btrim(email) OR email NOT LIKE '_%@_%'",
    },
    Check {
        promise: OWN_DATA,
        name: "tokens_are_stored_as_hashes",
        sql: "SELECT format('%s of user %s: a token is stored that is no hash', kind, owner) FROM ( \
                  SELECT 'verification_tokens' AS kind, user_id AS owner, token FROM verification_tokens \
                  UNION ALL SELECT 'password_reset_tokens', user_id, token FROM password_reset_tokens \
                  UNION ALL SELECT 'email_changes', user_id, token FROM email_changes \
                  UNION ALL SELECT 'api_keys', user_id, key_hash FROM api_keys \
                  UNION ALL SELECT 'passkey_challenges', NULL, challenge FROM passkey_challenges \
                  UNION ALL SELECT 'recovery_codes', user_id, code FROM recovery_codes \
                  UNION ALL SELECT 'log_in_failures', NULL, subject FROM log_in_failures \
                  UNION ALL SELECT 'sessions', user_id, address_key FROM sessions \
                  UNION ALL SELECT 'refresh_tokens', sessions.user_id, token \
                      FROM refresh_tokens JOIN sessions ON sessions.id = session_id \
              ) AS tokens WHERE token !~ '^[0-9a-f]{64}$'",
    },
    Check {
        promise: OWN_DATA,
        name: "inactive_accounts_have_no_session",
        sql: "SELECT format('session %s of user %s: it is open though the account is not active', sessions.id, users.id) \
              FROM sessions JOIN users ON users.id = user_id \
              WHERE ended_at IS NULL AND expires_at > now() AND NOT is_active \
              UNION ALL \
              SELECT format('API key %s of user %s: it is good though the account is not active', api_keys.id, users.id) \
              FROM api_keys JOIN users ON users.id = user_id \
              WHERE revoked_at IS NULL AND expires_at > now() AND NOT is_active",
    },
    Check {
        promise: OWN_DATA,
        name: "erased_accounts_hold_nothing",
        sql: "SELECT format('user %s: erased, and something is left', id) FROM users \
              WHERE email = 'erased-' || id || '@invalid' AND (is_active OR is_verified OR is_admin \
                  OR EXISTS (SELECT FROM sessions WHERE user_id = users.id) \
                  OR EXISTS (SELECT FROM api_keys WHERE user_id = users.id) \
                  OR EXISTS (SELECT FROM totp_factors WHERE user_id = users.id) \
                  OR EXISTS (SELECT FROM recovery_codes WHERE user_id = users.id) \
                  OR EXISTS (SELECT FROM passkeys WHERE user_id = users.id) \
                  OR EXISTS (SELECT FROM user_roles WHERE user_id = users.id) \
                  OR EXISTS (SELECT FROM verification_tokens WHERE user_id = users.id) \
                  OR EXISTS (SELECT FROM password_reset_tokens WHERE user_id = users.id) \
                  OR EXISTS (SELECT FROM email_changes WHERE user_id = users.id))",
    },
    Check {
        promise: OWN_DATA,
        name: "roles_are_given_to_proved_addresses",
        sql: "SELECT format('user %s: it has a role, and nobody has proved its address', id) FROM users \
              WHERE NOT is_verified AND (is_admin OR EXISTS (SELECT FROM user_roles WHERE user_id = users.id))",
    },
    Check {
        promise: OWN_DATA,
        name: "recovery_codes_stand_for_a_second_step",
        sql: "SELECT format('user %s: recovery codes are kept, and log-ins take no second step', user_id) \
              FROM recovery_codes \
              WHERE NOT EXISTS (SELECT FROM totp_factors WHERE totp_factors.user_id = recovery_codes.user_id \
                      AND confirmed_at IS NOT NULL) \
                  AND NOT EXISTS (SELECT FROM passkeys WHERE passkeys.user_id = recovery_codes.user_id AND is_second_step) \
              GROUP BY user_id",
    },
    Check {
        promise: OWN_DATA,
        name: "suspected_passkeys_open_nothing",
        sql: "SELECT format('passkey %s of user %s: it was used after its counter went backwards', id, user_id) \
              FROM passkeys WHERE last_used_at > suspected_at",
    },
    Check {
        promise: OWN_DATA,
        name: "refresh_tokens_are_used_once",
        sql: "SELECT format('session %s: %s refresh tokens are unused', session_id, count(*)) FROM refresh_tokens \
              WHERE used_at IS NULL GROUP BY session_id HAVING count(*) > 1",
    },
    Check {
        promise: NOTHING_HALF_DONE,
        name: "imports_leave_nothing_behind",
        sql: "SELECT format('import %s: %s rows are left in staging', import_id, count(*)) \
              FROM customer_imports GROUP BY import_id",
    },
    Check {
        promise: NOTHING_HALF_DONE,
        name: "delivered_mail_is_forgotten",
        sql: "SELECT format('mail %s: its text is kept after its end', id) FROM mails \
              WHERE (sent_at IS NOT NULL OR given_up_at IS NOT NULL) AND body <> ''",
    },
];
