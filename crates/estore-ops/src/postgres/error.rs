//! What may go wrong with the private PostgreSQL, each with its mend.

use std::io;
use std::path::{Path, PathBuf};

/// Why the private PostgreSQL cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No usable server on this machine.
    #[error(
        "no PostgreSQL server of version {wanted} was found (looked on PATH, in `pg_config --bindir`, \
         /usr/lib/postgresql/*/bin and /usr/pgsql-*/bin{seen}); install one: {mend}"
    )]
    NotInstalled {
        /// What would do, such as `15 or newer`.
        wanted: String,
        /// What was found instead, ready to print.
        seen: String,
        /// The command that installs it.
        mend: String,
    },
    /// Another process holds the data directory.
    #[error("another estore runs on {} (pid {})", data_dir.display(), pid.map_or_else(|| "unknown".to_owned(), |pid| pid.to_string()))]
    InUse {
        /// The data directory.
        data_dir: PathBuf,
        /// The process that holds it, when it could write its number.
        pid: Option<u32>,
    },
    /// A parent folder keeps the server's user out.
    #[error(
        "the database server runs as user {user}, who may not pass through {}; \
         run `chmod o+x {}` or choose another data directory", folder.display(), folder.display()
    )]
    NotTraversable {
        /// The folder that is closed.
        folder: PathBuf,
        /// The user the server runs as.
        user: String,
    },
    /// The socket folder belongs to somebody else.
    #[error("the socket folder {} {reason}; remove it, or choose a shorter data directory", folder.display())]
    SocketFolder {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The refusal.
        source: io::Error,
    },
    /// `initdb` failed.
    #[error("initdb failed: {0}")]
    Initialise(String),
    /// The server ended while it was starting.
    #[error("PostgreSQL ended while starting; its last words:\n{0}")]
    Exited(String),
    /// The server did not answer in time.
    #[error("PostgreSQL did not answer within {seconds} s: {detail}")]
    NotReady {
        /// How long it was waited for.
        seconds: u64,
        /// The last refusal.
        detail: String,
    },
    /// The server, or what an earlier one left, does not end.
    #[error("PostgreSQL process {pid} on {} does not end; end it by hand with `kill -QUIT {pid}`", data_dir.display())]
    Stuck {
        /// The process.
        pid: u32,
        /// The cluster's folder.
        data_dir: PathBuf,
    },
    /// The server was asked to stop while it was starting.
    #[error("PostgreSQL was stopped while it was starting")]
    Stopped,
}

impl ClusterError {
    pub(crate) fn file(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::File { action, path: path.to_owned(), source }
    }
}
