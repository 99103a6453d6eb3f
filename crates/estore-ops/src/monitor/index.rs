//! Indexes: what they are and how often they are read by.

use serde::{Deserialize, Serialize};

use super::session::Session;
use super::unseen::Unseen;

const INDEXES: &str = include_str!("../../queries/monitor/indexes.sql");
const FOREIGN_KEYS: &str = include_str!("../../queries/monitor/foreign_keys.sql");
/// Indexes looked at, the largest first.
const ROWS_MAX: i64 = 5_000;

/// An index.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its number.
    pub oid: i64,
    /// Its table.
    pub table_name: String,
    /// The statement that makes it; unknown while somebody holds the table exclusively, like all that follows from it.
    pub definition: Option<String>,
    /// `btree`, `gin`, …
    pub method: String,
    /// Its keys, each with operator class, collation and direction.
    pub keys: Option<Vec<String>>,
    /// Columns that it only carries.
    pub included: Option<Vec<String>>,
    /// The rows that it is for, where not all.
    pub predicate: Option<String>,
    /// Whether it keeps values apart.
    pub is_unique: bool,
    /// Whether it is the primary key.
    pub is_primary: bool,
    /// Whether it is an exclusion constraint.
    pub is_exclusion: bool,
    /// Whether replication tells rows apart by it.
    pub is_replica_identity: bool,
    /// Whether a constraint, its table's or a foreign key of another, depends on it.
    pub has_constraint: bool,
    /// Whether scans may use it.
    pub is_valid: bool,
    /// Whether writes keep it up to date.
    pub is_ready: bool,
    /// Whether it is being built at this moment.
    pub is_being_built: bool,
    /// Whether it is a part of a partitioned index.
    pub is_partition: bool,
    /// Its size.
    pub bytes: i64,
    /// How often it was read by; checks of constraints do not count.
    pub scans: i64,
    /// Entries read by that.
    pub entries_read: i64,
    /// Rows fetched by that.
    pub rows_fetched: i64,
    /// Blocks of it that were not in the server's cache.
    pub blocks_read: i64,
    /// Those that were.
    pub blocks_hit: i64,
}

/// A foreign key whose columns no index of its table begins with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ForeignKey {
    /// Its name.
    pub name: String,
    /// Its table.
    pub table_name: String,
    /// The table that it refers to.
    pub referenced: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// Rows of its table.
    pub rows_alive: i64,
}

/// The indexes, the largest first.
///
/// # Errors
/// [`Unseen`].
pub async fn indexes(session: &Session) -> Result<Vec<Index>, Unseen> {
    session.rows(INDEXES, &[&ROWS_MAX]).await
}

/// Foreign keys without an index.
///
/// # Errors
/// [`Unseen`].
pub async fn foreign_keys(session: &Session) -> Result<Vec<ForeignKey>, Unseen> {
    session.rows(FOREIGN_KEYS, &[&ROWS_MAX]).await
}
