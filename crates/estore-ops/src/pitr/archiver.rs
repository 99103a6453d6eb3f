//! What an archiver does for us, whoever it is.

use std::fmt;
use std::path::Path;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::PitrError;
use super::mark::Mark;
use super::moment::{Lsn, Moment};

/// How much a base backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Everything.
    Full,
    /// What has changed since the last full one.
    Differential,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Full => "full",
            Self::Differential => "differential",
        })
    }
}

/// A base backup, from which the log is replayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Base {
    /// The archiver's name for it.
    pub label: String,
    /// How much it holds.
    pub kind: Kind,
    /// When it was whole, to the second: it brings back moments after this one.
    pub whole_at: Timestamp,
    /// The same as a place in the log.
    pub whole_at_lsn: Lsn,
    /// What it brings back, in bytes.
    pub bytes: u64,
    /// What it takes in the repository, in bytes.
    pub stored_bytes: u64,
    /// Whether pages were found damaged while it was taken.
    pub damaged: bool,
}

/// How far what is archived reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Reach {
    /// The last transaction that can be brought back.
    pub committed_at: Option<Timestamp>,
    /// The last place in the log.
    pub lsn: Lsn,
}

/// Keeps base backups and the log of one server, and brings them back.
#[async_trait]
pub trait Archiver: fmt::Debug + Send + Sync {
    /// The server's settings that send the log to it, as lines of its configuration.
    fn server_settings(&self) -> String;

    /// Makes the repository ready for the server, which runs. May be repeated.
    ///
    /// # Errors
    /// [`PitrError::Archiver`] when it is not to be reached, or belongs to another server.
    async fn prepare(&self) -> Result<(), PitrError>;

    /// Sends what the server has written so far, and sees it arrive.
    ///
    /// # Errors
    /// [`PitrError::Archiver`] when it does not arrive.
    async fn check(&self) -> Result<(), PitrError>;

    /// Takes a base backup, and lets go of what is older than is kept.
    ///
    /// # Errors
    /// [`PitrError::Archiver`].
    async fn create(&self, kind: Kind) -> Result<(), PitrError>;

    /// The base backups, oldest first.
    ///
    /// # Errors
    /// [`PitrError::Archiver`].
    async fn bases(&self) -> Result<Vec<Base>, PitrError>;

    /// How far the archive reaches; none where nothing is archived yet.
    ///
    /// # Errors
    /// [`PitrError::Archiver`].
    async fn reach(&self) -> Result<Option<Reach>, PitrError>;

    /// Puts a base backup into an empty folder, so that a server started there replays the log up to a moment and is
    /// then a server of its own.
    ///
    /// # Errors
    /// [`PitrError::Archiver`].
    async fn bring(&self, base: &Base, moment: &Moment, data: &Path) -> Result<(), PitrError>;

    /// The named moments, in their order.
    ///
    /// # Errors
    /// [`PitrError::File`].
    fn marks(&self) -> Result<Vec<Mark>, PitrError>;

    /// Remembers a named moment.
    ///
    /// # Errors
    /// [`PitrError::File`].
    fn remember(&self, mark: &Mark) -> Result<(), PitrError>;
}
