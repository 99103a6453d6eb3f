//! Why a run cannot be made, or an action ended early.

use jiff::Timestamp;
use tokio_postgres::error::SqlState;

/// Why a run ended before it was through.
#[derive(Debug, thiserror::Error)]
pub enum MaintainError {
    /// Another run is at work in the database.
    #[error(
        "another run of maintenance is at work in {database}: process {pid} of the server, there since {since}; nothing was done"
    )]
    Busy {
        /// Where.
        database: String,
        /// The server's process of the other run's session.
        pid: i32,
        /// Since when it is connected.
        since: Timestamp,
    },
    /// The database refused something that is not an action.
    #[error("{database}: cannot {step}: {}", described(source))]
    Database {
        /// Which.
        database: String,
        /// What was being done.
        step: &'static str,
        /// The refusal.
        source: tokio_postgres::Error,
    },
    /// The same through the pool that removes rows.
    #[error("{database}: cannot {step}: {error}")]
    Refused {
        /// Which.
        database: String,
        /// What was being done.
        step: &'static str,
        /// The refusal.
        error: estore_kit::db::DbError,
    },
    /// A rule names a table that has no months.
    #[error("maintenance.partitions.{0} names no table that is partitioned by month")]
    UnknownTable(String),
    /// A rule that would let go of what is still needed.
    #[error("maintenance.partitions.{table}.keep_months must be at least {least}, not {given}")]
    TooFewMonths {
        /// Whose.
        table: String,
        /// The least.
        least: u32,
        /// What it says.
        given: u32,
    },
}

impl MaintainError {
    pub(super) fn at(database: &str, step: &'static str) -> impl FnOnce(tokio_postgres::Error) -> Self {
        move |source| Self::Database { database: database.to_owned(), step, source }
    }
}

pub(super) fn described(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |db| format!("{} ({})", db.message(), db.code().code()))
}

/// Whether a statement gave up waiting for a lock.
pub(super) fn is_lock_timeout(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE)
}
