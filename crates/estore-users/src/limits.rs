//! The bounds of this service.

use std::time::Duration;

/// The longest address, in characters; also the width of its column.
pub(crate) const EMAIL_CHARACTERS_MAX: usize = 255;
/// The longest part before the `@`, in characters.
pub(crate) const EMAIL_LOCAL_CHARACTERS_MAX: usize = 64;
/// The shortest password, in characters.
pub(crate) const PASSWORD_CHARACTERS_MIN: usize = 8;
/// The longest password, in characters.
pub(crate) const PASSWORD_CHARACTERS_MAX: usize = 128;
/// The longest password, in bytes.
pub(crate) const PASSWORD_BYTES_MAX: usize = 512;
/// The longest mailed or refresh token that is looked at, in characters.
pub(crate) const TOKEN_CHARACTERS_MAX: usize = 128;
/// How long a request waits for its turn to hash a password.
pub(crate) const HASH_WAIT: Duration = Duration::from_secs(15);
/// How many requests may wait for their turn to hash a password.
pub(crate) const HASHES_WAITING_MAX: usize = 256;
/// The costliest bcrypt hash that is verified, as its cost parameter.
pub(crate) const BCRYPT_COST_MAX: u32 = 14;
/// The largest memory of an Argon2 hash that is verified, in KiB.
pub(crate) const ARGON2_KIB_MAX: u32 = 256 * 1024;
/// The most passes of an Argon2 hash that is verified.
pub(crate) const ARGON2_PASSES_MAX: u32 = 16;
/// The most lanes of an Argon2 hash that is verified.
pub(crate) const ARGON2_LANES_MAX: u32 = 16;
/// A refused login takes no less than this, whatever kind of hash it was compared with.
pub(crate) const REFUSAL_TIME_MIN: Duration = Duration::from_millis(300);
/// Answers that must not tell whether an address is known take no less than this.
pub(crate) const QUIET_TIME_MIN: Duration = Duration::from_millis(80);
/// How many letters of one purpose an address gets in a minute.
pub(crate) const MAILS_A_MINUTE_MAX: i64 = 1;
/// How many letters of one purpose an address gets in a day.
pub(crate) const MAILS_A_DAY_MAX: i64 = 5;
/// How many letters are delivered in one round, all at a time: the round ends before they are due again.
pub(crate) const MAILS_A_ROUND_MAX: usize = 8;
/// How often the outbox is looked at when nobody rings.
pub(crate) const MAIL_PAUSE: Duration = Duration::from_secs(2);
/// How long one delivery may take; less than the first pause between two attempts.
pub(crate) const MAIL_DELIVERY_TIME_MAX: Duration = Duration::from_secs(20);
/// After how many attempts a letter is given up (a bit more than a day).
pub(crate) const MAIL_ATTEMPTS_MAX: i32 = 32;
/// How often the connection that hears of ended sessions is proved alive.
pub(crate) const ENDED_SESSIONS_BEAT: Duration = Duration::from_millis(500);
/// How much longer than the life of a token its session's end is remembered: clocks differ, and a token may have been
/// signed while its session ended.
pub(crate) const TOKEN_SECONDS_SLACK: Duration = Duration::from_secs(60);
/// How much less urgent hashing is than everything else, as the niceness of its threads.
pub(crate) const HASH_NICENESS: i32 = 5;
/// Failed log-ins of an account, or with the password of a session, that cost nothing.
pub(crate) const ACCOUNT_FAILURES_FREE: i32 = 5;
/// The longest that strangers wait who guess an account's password.
pub(crate) const ACCOUNT_DELAY_MAX: Duration = Duration::from_secs(900);
/// Failed log-ins from an address that cost nothing: many people may share one.
pub(crate) const ADDRESS_FAILURES_FREE: i32 = 30;
/// The longest that an address waits.
pub(crate) const ADDRESS_DELAY_MAX: Duration = Duration::from_secs(60);
/// After so long without one, failures are forgotten; longer than any delay.
pub(crate) const FAILURES_REMEMBERED: Duration = Duration::from_secs(3_600);
/// How many log-ins of one account a process looks at together: so many may fail beyond those that are free.
pub(crate) const LOG_INS_OF_SUBJECT_MAX: usize = 4;
/// How many good API keys one person may have.
pub(crate) const API_KEYS_MAX: i64 = 100;
/// The longest that an API key is good, in days.
pub(crate) const API_KEY_DAYS_MAX: i32 = 365;
/// How long an API key is good where nothing is said, in days.
pub(crate) const API_KEY_DAYS_DEFAULT: i32 = 90;
/// The longest name of an API key, in characters.
pub(crate) const API_KEY_NAME_CHARACTERS_MAX: usize = 100;
/// How many recovery codes a second factor has.
pub(crate) const RECOVERY_CODES: usize = 10;
/// How many passkeys an account may have.
pub(crate) const PASSKEYS_MAX: i64 = 20;
/// The longest name of a passkey, in characters.
pub(crate) const PASSKEY_NAME_CHARACTERS_MAX: usize = 100;
/// How long a challenge for a passkey is good.
pub(crate) const PASSKEY_CHALLENGE_TIME: Duration = Duration::from_secs(300);
/// How long it is remembered that one was answered: longer than that, for clocks differ.
pub(crate) const PASSKEY_ANSWER_REMEMBERED: Duration = Duration::from_secs(600);
/// The shortest id of a credential, in bytes: ids are not guessed.
pub(crate) const CREDENTIAL_ID_BYTES_MIN: usize = 16;
/// The longest id of a credential, in bytes, as WebAuthn has it.
pub(crate) const CREDENTIAL_ID_BYTES_MAX: usize = 1_023;
/// The longest public key of a credential, in bytes.
pub(crate) const CREDENTIAL_KEY_BYTES_MAX: usize = 2_048;
/// The longest handle of a user, in bytes, as WebAuthn has it.
pub(crate) const USER_HANDLE_BYTES_MAX: usize = 64;
/// The longest part of what comes back of a ceremony, in bytes.
pub(crate) const ASSERTION_BYTES_MAX: usize = 8 * 1024;
/// The longest attestation, which may bring certificates, in bytes.
pub(crate) const ATTESTATION_BYTES_MAX: usize = 64 * 1024;
/// How many ways an authenticator may be reached.
pub(crate) const TRANSPORTS_MAX: usize = 8;
/// The longest name of such a way, in characters.
pub(crate) const TRANSPORT_CHARACTERS_MAX: usize = 32;
/// How long after it a log-in still proves who is there, where roles and API keys are changed.
pub(crate) const RECENT_LOG_IN: Duration = Duration::from_secs(300);
/// How often what has ended is removed.
pub(crate) const PURGE_PAUSE: Duration = Duration::from_secs(600);
/// How many sessions an export lists.
pub(crate) const EXPORT_SESSIONS_MAX: i64 = 1_000;
/// The longest user agent that is kept, in characters.
pub(crate) const USER_AGENT_CHARACTERS_MAX: usize = 255;
/// The longest search text, in characters.
pub(crate) const SEARCH_CHARACTERS_MAX: usize = 255;
/// How many faults an import reports before it stops reading.
pub(crate) const IMPORT_FAULTS_MAX: usize = 100;
/// How many rows of an import travel together.
pub(crate) const IMPORT_CHUNK_ROWS: usize = 500;
/// How far a row of an import is followed, in bytes.
pub(crate) const IMPORT_ROW_BYTES_MAX: usize = 16 * 1024;
/// Rows of each kind that are looked at to tell what waits.
pub(crate) const BACKLOG_ROWS_MAX: i64 = 100_000;
