//! What could not be seen, and how to see it.

use serde::Serialize;
use tokio_postgres::error::SqlState;

/// Something that the server did not tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{unseen}")]
pub struct Unseen {
    /// Why not.
    pub unseen: String,
    /// What to do about it; empty where nothing helps.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mend: String,
}

/// What was seen, or why it was not.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Seen<T> {
    /// The answer.
    Yes(T),
    /// None.
    No(Unseen),
}

impl Unseen {
    /// For this reason, with this mend.
    pub fn new(unseen: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { unseen: unseen.into(), mend: mend.into() }
    }
}

impl From<&tokio_postgres::Error> for Unseen {
    fn from(error: &tokio_postgres::Error) -> Self {
        let Some(db) = error.as_db_error() else {
            let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
            return Self::new(format!("{error}{cause}"), "look whether the server runs and can be reached");
        };
        let mend = match db.code() {
            code if *code == SqlState::INSUFFICIENT_PRIVILEGE => {
                "look as estore_monitor, or as another member of pg_monitor: databases.<name>.monitor_url"
            }
            code if *code == SqlState::QUERY_CANCELED => "try again when the server is less busy",
            code if *code == SqlState::LOCK_NOT_AVAILABLE => "try again when the table's lock is gone",
            _ => "",
        };
        Self::new(format!("{} ({})", db.message(), db.code().code()), mend)
    }
}

impl<T> From<Result<T, Unseen>> for Seen<T> {
    fn from(result: Result<T, Unseen>) -> Self {
        match result {
            Ok(seen) => Self::Yes(seen),
            Err(unseen) => Self::No(unseen),
        }
    }
}

impl<T> Seen<T> {
    /// The answer, if there is one.
    pub fn seen(&self) -> Option<&T> {
        match self {
            Self::Yes(seen) => Some(seen),
            Self::No(_) => None,
        }
    }
}
