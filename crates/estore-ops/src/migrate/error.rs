//! What may go wrong with a migration, said so that the mend is plain.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::progress::Direction;
use crate::roles::RolesError;

/// Where in a migration's text the server stopped, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}, column {}", self.line, self.column)
    }
}

/// Why a migration command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The list of migrations itself is wrong.
    #[error("migration {version} {name}: {reason}")]
    Invalid {
        /// Its version.
        version: i64,
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// An applied migration's text is not what was applied.
    #[error(
        "migration {version} {name}: its {direction}.sql was changed after it was applied; \
         put the applied text back and write a new migration"
    )]
    Altered {
        /// Its version.
        version: i64,
        /// Its name.
        name: String,
        /// The direction whose text differs.
        direction: Direction,
    },
    /// The database has a migration that this build ought to know.
    #[error("migration {version} {name} is applied but this build does not have it; use the build that does")]
    Missing {
        /// Its version.
        version: i64,
        /// Its name.
        name: String,
    },
    /// A pending migration is older than an applied one.
    #[error(
        "migration {version} {name} is older than {newest}, which is already applied; \
         give it a newer version, or take the newer ones back first"
    )]
    OutOfOrder {
        /// Its version.
        version: i64,
        /// Its name.
        name: String,
        /// The newest applied version.
        newest: i64,
    },
    /// No migration has that version.
    #[error("there is no migration {0}")]
    UnknownVersion(i64),
    /// Rows would be lost and nobody agreed to it.
    #[error("going back loses data; nothing was done. Say --destructive to agree to losing:\n{}", lost.join("\n"))]
    Destructive {
        /// What each way back loses.
        lost: Vec<String>,
    },
    /// Another runner holds the migration lock.
    #[error("another process has been migrating {database} for {seconds} s; wait for it or end it")]
    Locked {
        /// The database.
        database: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// A table stayed locked by others.
    #[error(
        "migration {version} {name}: a table it needs stayed locked by another transaction through \
         {attempts} attempts of {timeout_ms} ms; nothing was changed. Find it in pg_stat_activity and try again"
    )]
    LockTimeout {
        /// Its version.
        version: i64,
        /// Its name.
        name: String,
        /// How often it was tried.
        attempts: u32,
        /// How long each attempt waited, in milliseconds.
        timeout_ms: u64,
    },
    /// The server refused a statement.
    #[error("migration {version} {name} ({direction}.sql{}): {message} ({code})", at(position.as_ref()))]
    Failed {
        /// Its version.
        version: i64,
        /// Its name.
        name: String,
        /// Which text failed.
        direction: Direction,
        /// Where in it.
        position: Option<Position>,
        /// The server's words.
        message: String,
        /// The SQLSTATE.
        code: String,
    },
    /// `check` found that a migration does not come back to where it was.
    #[error("{} difference(s):\n{}", .0.len(), .0.join("\n"))]
    NotReversible(Vec<String>),
    /// The connection or the ledger failed.
    #[error("{step}: {source}{}", detail(source))]
    Database {
        /// What was being done.
        step: &'static str,
        /// The refusal.
        source: tokio_postgres::Error,
    },
    /// The scratch database could not be had.
    #[error(transparent)]
    Roles(#[from] RolesError),
    /// The new migration's folder could not be written.
    #[error("cannot write {}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The refusal.
        source: io::Error,
    },
}

impl MigrateError {
    pub(crate) fn at(step: &'static str) -> impl FnOnce(tokio_postgres::Error) -> Self {
        move |source| Self::Database { step, source }
    }
}

fn at(position: Option<&Position>) -> String {
    position.map_or_else(String::new, |position| format!(", {position}"))
}

fn detail(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(String::new, |db| format!(": {} ({})", db.message(), db.code().code()))
}
