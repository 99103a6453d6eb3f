//! What may keep the table of orders from being turned, with the next step.

use crate::migrate::MigrateError;

/// Why the table of orders was not turned.
#[derive(Debug, thiserror::Error)]
pub enum PartitionError {
    /// There is no such table.
    #[error("there is no table orders in {0}; apply the migrations first: estore db migrate up")]
    NoTable(String),
    /// Something hangs on the table that would be left behind.
    #[error(
        "nothing was done: what follows depends on the table orders and cannot be brought over. \
         Drop it, partition, and make it again:\n  {}", .0.join("\n  ")
    )]
    Strangers(Vec<String>),
    /// A table stayed locked by others.
    #[error(
        "the tables of orders stayed locked by others through {attempts} attempts of {wait_ms} ms; what was reached \
         stands, and the next run goes on from there.{}",
        told(holders)
    )]
    LockTimeout {
        /// How often it was tried.
        attempts: u32,
        /// How long each attempt waited, in milliseconds.
        wait_ms: u128,
        /// Who held them at the end.
        holders: Vec<String>,
    },
    /// The ids that are left are too few for a partition.
    #[error("the ids of orders are used up to {next_id}, too near their end to begin a partition of {rows}")]
    IdsEnd {
        /// The next id.
        next_id: i64,
        /// Rows of a partition.
        rows: i64,
    },
    /// The copy is not the original.
    #[error(
        "the merged copy differs from the orders: {copy} rows against {orders}, or other values. Nothing was switched; \
         the copy was removed. Run it again"
    )]
    Differs {
        /// Rows of the copy.
        copy: i64,
        /// Rows of the original.
        orders: i64,
    },
    /// The lock of migrations was not to be had, or the session failed.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// The server refused a statement.
    #[error("cannot {step}: {source}{}", detail(source))]
    Database {
        /// What was being done.
        step: &'static str,
        /// The refusal.
        source: tokio_postgres::Error,
    },
}

impl PartitionError {
    pub(crate) fn at(step: &'static str) -> impl FnOnce(tokio_postgres::Error) -> Self {
        move |source| Self::Database { step, source }
    }
}

fn told(holders: &[String]) -> String {
    if holders.is_empty() { String::new() } else { format!(" Held by:\n  {}", holders.join("\n  ")) }
}

fn detail(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(String::new, |db| {
        let detail = db.detail().map_or_else(String::new, |detail| format!(": {detail}"));
        format!(": {}{detail} ({})", db.message(), db.code().code())
    })
}
