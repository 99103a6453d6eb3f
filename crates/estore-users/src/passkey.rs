//! Passkeys as people see them.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A passkey, as its owner sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Passkey {
    /// Its id.
    pub(crate) id: Uuid,
    /// What its owner calls it.
    #[schema(example = "blue phone")]
    pub(crate) name: String,
    /// How its authenticator is reached, as it said itself.
    pub(crate) transports: Vec<String>,
    /// Whether log-ins by password ask for it, another passkey, a code of the authenticator or a recovery code.
    pub(crate) is_second_step: bool,
    /// Whether it is on more than one device, when it was last used.
    pub(crate) is_backed_up: bool,
    /// When it was made.
    #[schema(value_type = String, format = "date-time")]
    pub(crate) created_at: Timestamp,
    /// When it was last used.
    #[schema(value_type = Option<String>, format = "date-time")]
    pub(crate) last_used_at: Option<Timestamp>,
    /// When it was refused for good, for its counter went backwards: somebody may have a copy of it. Remove it.
    #[schema(value_type = Option<String>, format = "date-time")]
    pub(crate) suspected_at: Option<Timestamp>,
}

/// What a challenge is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChallengePurpose {
    /// A new passkey.
    Registration,
    /// A log-in by the passkey alone.
    LogIn,
    /// The second step of a log-in by password.
    SecondStep,
    /// The proof that a session's owner is there.
    StepUp,
}

impl ChallengePurpose {
    /// The word in the database.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::LogIn => "log_in",
            Self::SecondStep => "second_step",
            Self::StepUp => "step_up",
        }
    }
}
