//! What UserService keeps for a time only.

use std::time::Duration;

use estore_kit::purge::Purge;

use crate::limits::FAILURES_REMEMBERED;

const DAY: Duration = Duration::from_secs(86_400);

macro_rules! purge {
    ($name:literal, $what:literal, $kept:expr) => {
        Purge {
            name: $name,
            what: $what,
            kept: $kept,
            count: include_str!(concat!("../queries/count_purged_", $name, ".sql")),
            remove: include_str!(concat!("../queries/purge_", $name, ".sql")),
        }
    };
}

/// What has ended and may go. Sessions go before their tokens, which go with them.
pub const PURGES: &[Purge] = &[
    purge!("verification_tokens", "expired verification tokens", Duration::ZERO),
    purge!("password_reset_tokens", "expired password reset tokens", Duration::ZERO),
    purge!("passkey_challenges", "challenges of passkeys whose time is over", Duration::ZERO),
    purge!("email_changes", "changes of address that nobody proved", Duration::ZERO),
    purge!("sessions", "expired sessions", Duration::ZERO),
    purge!("refresh_tokens", "expired refresh tokens", Duration::ZERO),
    // Two days: a limit counts the letters of the last one.
    purge!("mails", "letters that were sent or given up", DAY.saturating_mul(2)),
    purge!("api_keys", "API keys that ended three months ago", DAY.saturating_mul(90)),
    purge!("log_in_failures", "failed log-ins that make nobody wait any more", FAILURES_REMEMBERED),
    // Longer than any access token may live.
    purge!("ended_sessions", "sessions whose end everybody knows of", DAY.saturating_mul(2)),
];
