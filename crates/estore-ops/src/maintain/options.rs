//! What is to be maintained, and how patiently.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use estore_kit::purge::Purge;
use jiff::Timestamp;
use serde::Deserialize;
use tokio_postgres::Config;

use super::action::Task;
use crate::backup::SigningKey;
use crate::roles::Service;

/// A database to maintain.
#[derive(Debug, Clone)]
pub struct Site {
    /// Whose it is.
    pub service: Service,
    /// How to connect: directly, never through a pooler, as a role that may become the owner.
    pub config: Config,
    /// The role that owns the tables; everything is done as this one.
    pub owner: String,
    /// What may go from it once it has ended.
    pub purges: Vec<Purge>,
    /// Whether the server runs on this machine under our eyes, so that its process can be made less urgent.
    pub is_local: bool,
}

/// When a table or index is in need. A number and a share must both be reached.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Thresholds {
    /// Dead rows of a table, before it is vacuumed.
    pub dead_rows: i64,
    /// Their share of all, in percent.
    pub dead_percent: i64,
    /// Rows changed since the last look at them, before a table is analyzed.
    pub changed_rows: i64,
    /// Their share of all, in percent.
    pub changed_percent: i64,
    /// Rows added since the last vacuum, before a table is vacuumed for them.
    pub added_rows: i64,
    /// Their share of all, in percent.
    pub added_percent: i64,
    /// Air in an index, in MiB, by estimate, before it is built anew.
    pub air_mib: i64,
    /// Its share of the index, in percent.
    pub air_percent: i64,
    /// How old a table's oldest transaction may get, in transactions, before its rows are frozen. The server insists at
    /// 200,000,000, at a time of its own choice.
    pub freeze_age: i64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            dead_rows: 10_000,
            dead_percent: 10,
            changed_rows: 10_000,
            changed_percent: 10,
            added_rows: 100_000,
            added_percent: 20,
            air_mib: 64,
            air_percent: 50,
            freeze_age: 150_000_000,
        }
    }
}

/// What becomes of a partition that is old enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BecomeOf {
    /// It stays as a table of its own, which the shop does not see.
    Detach,
    /// It is dropped.
    Drop,
}

/// A rule of the configuration for the old partitions of one table. Without one they are kept for ever.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartitionRule {
    /// Whole months that are kept before this one, at least [`PartitionRule::MONTHS_MIN`].
    pub keep_months: u32,
    /// What becomes of those before them.
    pub then: BecomeOf,
}

impl PartitionRule {
    /// Events that are still to be told, and deliveries that can still be replayed, are younger.
    pub const MONTHS_MIN: u32 = 6;
}

/// How it is done.
#[derive(Debug, Clone)]
pub struct MaintainOptions {
    /// What is looked at.
    pub tasks: Vec<Task>,
    /// Only tell what would be done.
    pub dry_run: bool,
    /// When a table or index is in need.
    pub thresholds: Thresholds,
    /// How long an action that nobody queues behind waits for its lock or for older transactions.
    pub lock_wait: Duration,
    /// How long one that others do queue behind waits, and how often it tries.
    pub brief_wait: Duration,
    /// See `brief_wait`.
    pub brief_tries: u32,
    /// Partitions made ahead, in months.
    pub months_ahead: i32,
    /// What becomes of old partitions, by table.
    pub rules: BTreeMap<String, PartitionRule>,
    /// What seals the audit: without it, no partition goes whose rows are sealed.
    pub sealing_key: Option<Arc<SigningKey>>,
    /// When to stop, done or not.
    pub until: Option<Timestamp>,
}

impl Default for MaintainOptions {
    fn default() -> Self {
        Self {
            tasks: Task::ALL.to_vec(),
            dry_run: false,
            thresholds: Thresholds::default(),
            lock_wait: Duration::from_secs(10),
            brief_wait: Duration::from_millis(100),
            brief_tries: 20,
            months_ahead: 3,
            rules: BTreeMap::new(),
            sealing_key: None,
            until: None,
        }
    }
}
