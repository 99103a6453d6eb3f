//! What may go wrong with archiving and recovery, each with the next step.

use std::io;
use std::path::{Path, PathBuf};

use crate::backup::BackupError;
use crate::postgres::ClusterError;

/// Why nothing was archived or brought back.
#[derive(Debug, thiserror::Error)]
pub enum PitrError {
    /// The archiver is not on this machine.
    #[error("pgBackRest is not on this machine; install it: sudo apt-get install pgbackrest")]
    NotInstalled,
    /// Nothing is archived from this data directory.
    #[error(
        "nothing is archived from {}: begin with `estore backup pitr setup --repository FOLDER`", data_dir.display()
    )]
    NotSetUp {
        /// The data directory.
        data_dir: PathBuf,
    },
    /// The repository keeps somebody else's history.
    #[error(
        "{} already keeps the history of another server; nothing was changed. Name a folder of this one's own",
        repository.display()
    )]
    Taken {
        /// The repository.
        repository: PathBuf,
    },
    /// A path that the archiver's configuration cannot hold.
    #[error("{}: {reason}", path.display())]
    Unusable {
        /// The path.
        path: PathBuf,
        /// Why not.
        reason: &'static str,
    },
    /// The archiver refused.
    #[error("pgBackRest cannot {action}: {said}")]
    Archiver {
        /// What was asked.
        action: &'static str,
        /// The end of what it said.
        said: String,
    },
    /// The archiver's answer is not understood.
    #[error("pgBackRest's answer is not understood: {0}")]
    Answer(String),
    /// A moment that is not well formed.
    #[error(
        "{text:?} is no moment: give a time with its zone (2026-11-25T14:30:00Z), a place in the log (0/4018F18), \
         the name of a mark, or `latest`"
    )]
    Malformed {
        /// As given.
        text: String,
    },
    /// A mark's name that cannot be used.
    #[error("{name:?} cannot name a mark: {rule}")]
    Name {
        /// As given.
        name: String,
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// A moment that cannot be brought back.
    #[error("{moment} cannot be brought back, and nothing was begun: {reason}. {window}")]
    Outside {
        /// The moment.
        moment: String,
        /// Why not.
        reason: String,
        /// What can be.
        window: String,
    },
    /// Something live stands where the restore would go.
    #[error("{} already holds a PostgreSQL; nothing was changed. Name a new folder with --data-dir", data_dir.display())]
    InTheWay {
        /// The data directory.
        data_dir: PathBuf,
    },
    /// The server refused.
    #[error("the server cannot {action}: {reason}")]
    Database {
        /// What was asked.
        action: &'static str,
        /// Its answer.
        reason: String,
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
    /// The folder that a server is brought back in.
    #[error(transparent)]
    Folder(#[from] BackupError),
}

impl PitrError {
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }

    pub(crate) fn database(action: &'static str) -> impl FnOnce(tokio_postgres::Error) -> Self {
        move |error| {
            let reason = error
                .as_db_error()
                .map_or_else(|| error.to_string(), |db| format!("{} ({})", db.message(), db.code().code()));
            Self::Database { action, reason }
        }
    }
}
