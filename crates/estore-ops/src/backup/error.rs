//! What may go wrong with a backup, each with the next step.

use std::io;
use std::path::{Path, PathBuf};

use crate::postgres::ClusterError;
use crate::roles::RolesError;

/// Why a backup was not taken, found, proven or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The target's URL cannot be used.
    #[error(
        "the target {url} cannot be used: {reason}. Give file:///FOLDER, s3://BUCKET/…, gs://BUCKET/… or az://CONTAINER/…"
    )]
    Target {
        /// The URL as given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The target refused.
    #[error("the target did not {action}")]
    Store {
        /// What was asked, such as `store x/manifest.json`.
        action: String,
        /// The refusal.
        source: object_store::Error,
    },
    /// A database refused.
    #[error("{database}: cannot {action}: {reason}")]
    Database {
        /// Which.
        database: String,
        /// What was asked.
        action: &'static str,
        /// Its answer.
        reason: String,
    },
    /// The dump role would not see every row.
    #[error(
        "{database}: the role {role} is subject to row-level security, so its dump would not be whole; \
             use estore_backup (BYPASSRLS)"
    )]
    NotWhole {
        /// Which database.
        database: String,
        /// The role that would dump it.
        role: String,
    },
    /// Writers could not be held back in the bounded time.
    #[error(
        "the write fence was not had in {tries} tries: transactions that write ran on. \
             Try again, or take the snapshots without a fence: --no-fence"
    )]
    Fence {
        /// How often it was tried.
        tries: u32,
    },
    /// A program of PostgreSQL's failed.
    #[error("{program} failed: {said}")]
    Program {
        /// Which.
        program: String,
        /// The end of what it said.
        said: String,
    },
    /// No recipient was named.
    #[error(
        "a backup is encrypted, and nobody is named who may read it: give --recipient age1… \
             (`estore backup keygen` makes one), or --unencrypted"
    )]
    NoRecipients,
    /// A key, recipient or identity cannot be used.
    #[error("{what}: {reason}")]
    Key {
        /// Which key.
        what: String,
        /// Why not.
        reason: String,
    },
    /// There is no such set.
    #[error("there is no backup {wanted} in {url}; `estore backup list --target {url}` shows what there is")]
    NotFound {
        /// The set asked for.
        wanted: String,
        /// The target.
        url: String,
    },
    /// A stored set is not what its manifest says.
    #[error("{file}: {reason}")]
    Damaged {
        /// The file of the set.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// Something live stands where the restore would go.
    #[error("{what}; nothing was changed. {mend}")]
    InTheWay {
        /// What stands there.
        what: String,
        /// What to do.
        mend: String,
    },
    /// A file or folder of this machine.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On which.
        path: PathBuf,
        /// The refusal.
        source: io::Error,
    },
    /// The private PostgreSQL.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The roles or databases of a restore.
    #[error(transparent)]
    Roles(#[from] RolesError),
    /// A fault of ours.
    #[error("{0}")]
    Internal(String),
}

impl BackupError {
    pub(crate) fn store(action: impl Into<String>) -> impl FnOnce(object_store::Error) -> Self {
        let action = action.into();
        move |source| Self::Store { action, source }
    }

    pub(crate) fn database(database: &str, action: &'static str) -> impl FnOnce(tokio_postgres::Error) -> Self {
        let database = database.to_owned();
        move |error| {
            let reason = error
                .as_db_error()
                .map_or_else(|| error.to_string(), |db| format!("{} ({})", db.message(), db.code().code()));
            Self::Database { database, action, reason }
        }
    }

    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }

    pub(crate) fn damaged(file: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Damaged { file: file.into(), reason: reason.into() }
    }
}

impl From<tokio::task::JoinError> for BackupError {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Internal(error.to_string())
    }
}
