//! The connection that the work is done on: the owner's, holding the lock of migrations.

use std::time::Duration;

use super::PartitionProgress;
use super::error::PartitionError;
use super::progress::PartitionEvent;
use super::standing::{OrdersPartition, Standing};
use crate::connection::{Connection, quote_identifier};
use crate::migrate::{Database, MigrateOptions, open, take_runner_lock};
use crate::postgres::urgency::beside;

/// How the table is partitioned, and how patiently.
#[derive(Debug, Clone)]
pub struct PartitionOptions {
    /// Ids of each partition but the first, which holds what there is, and the last, which is open. None: as the
    /// partitions there are, or else ten million.
    pub rows: Option<i64>,
    /// How many bounded partitions are kept ready beyond the next id.
    pub ahead: u32,
    /// How long one attempt waits for all its locks, with buyers queueing behind it.
    pub table_wait: Duration,
    /// How often it is tried in all.
    pub attempts: u32,
    /// How long another runner is waited for.
    pub lock_wait: Duration,
    /// Rows copied in one transaction on the way back.
    pub batch: i64,
}

impl PartitionOptions {
    /// Ids of a new partition.
    pub(crate) fn rows(&self, standing: &Standing) -> i64 {
        let size = |part: &OrdersPartition| Some(part.end? - part.begin?);
        let last = standing.partitions.iter().rev().find_map(size);
        self.rows.or(last).unwrap_or(ROWS).max(1)
    }
}

impl Default for PartitionOptions {
    fn default() -> Self {
        Self {
            rows: None,
            ahead: 1,
            table_wait: Duration::from_millis(250),
            attempts: 40,
            lock_wait: Duration::from_secs(60),
            batch: 5_000,
        }
    }
}

/// Ids of a partition where nothing else is said.
const ROWS: i64 = 10_000_000;

/// A session that has become the owner and holds the lock until it is dropped.
pub(crate) struct Session {
    pub(crate) connection: Connection,
    pub(crate) options: PartitionOptions,
    /// What makes the session the owner's.
    pub(crate) as_owner: String,
}

impl Session {
    pub(crate) async fn look(database: &Database, options: &PartitionOptions) -> Result<Self, PartitionError> {
        let migrating = MigrateOptions { table_wait: options.table_wait, ..MigrateOptions::default() };
        let connection = open(database, &migrating).await?;
        // An answer that policies have thinned out would be taken for the whole.
        let whole = connection.batch_execute(include_str!("../../queries/partition/require_whole.sql")).await;
        whole.map_err(PartitionError::at("look whether the owner sees every row"))?;
        let as_owner = format!("SET ROLE {}", quote_identifier(&database.owner));
        let session = Self { connection, options: options.clone(), as_owner };
        let found = session.connection.query_one("SELECT to_regclass('orders') IS NOT NULL", &[]).await;
        if found.map_err(PartitionError::at("look for the table"))?.get(0) {
            return Ok(session);
        }
        Err(PartitionError::NoTable(database.name()))
    }

    pub(crate) async fn locked(
        database: &Database,
        options: &PartitionOptions,
        progress: PartitionProgress<'_>,
    ) -> Result<Self, PartitionError> {
        let session = Self::look(database, options).await?;
        take_runner_lock(&session.connection, &database.name(), options.lock_wait, &mut || {
            progress(PartitionEvent::WaitingForRunner);
        })
        .await?;
        Ok(session)
    }

    pub(crate) async fn run(&self, step: &'static str, sql: &str) -> Result<(), PartitionError> {
        self.connection.batch_execute(sql).await.map_err(PartitionError::at(step))
    }

    /// The same for what takes long and holds up nobody: less urgent than the orders that go on.
    pub(crate) async fn run_beside(&self, step: &'static str, sql: &str) -> Result<(), PartitionError> {
        beside(&self.connection, self.run(step, &format!("SET lock_timeout = '5min'; {sql}"))).await
    }
}
