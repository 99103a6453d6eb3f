//! Tables: sizes, rows, how they are read and looked after; sequences; room that nobody uses.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::session::Session;
use super::unseen::{Seen, Unseen};

const TABLES: &str = include_str!("../../queries/monitor/tables.sql");
const OLDEST: &str = include_str!("../../queries/monitor/oldest_tables.sql");
const SEQUENCES: &str = include_str!("../../queries/monitor/sequences.sql");
const BLOAT: &str = include_str!("../../queries/monitor/bloat.sql");
const FREE_SPACE: &str = include_str!("../../queries/monitor/free_space.sql");
/// Tables and sequences looked at, the largest and the fullest first.
const ROWS_MAX: i64 = 2_000;
const OLDEST_MAX: i64 = 10;
/// How much `pgstattuple` may look at in one go, in bytes.
const MEASURED_BYTES_MAX: i64 = 4 * 1024 * 1024 * 1024;

/// A table, or a partition.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Table {
    /// Its name; with the schema unless that is `public`.
    pub name: String,
    /// Its number.
    pub oid: i64,
    /// Its rows, with the maps that belong to them.
    pub heap_bytes: i64,
    /// Values kept apart because they are long, and their index.
    pub toast_bytes: i64,
    /// All its indexes.
    pub index_bytes: i64,
    /// All of it.
    pub total_bytes: i64,
    /// How many indexes it has.
    pub indexes: i64,
    /// Whether somebody holds it exclusively; then sizes are the catalog's, as of the last vacuum.
    pub is_locked: bool,
    /// Whether it is a part of a partitioned table.
    pub is_partition: bool,
    /// Rows as the planner has them; -1 before the first vacuum.
    pub rows_estimated: i64,
    /// Rows alive.
    pub rows_alive: i64,
    /// Dead ones that vacuum has yet to remove.
    pub rows_dead: i64,
    /// Dead ones in percent of all.
    pub dead_percent: f64,
    /// Rows changed since the planner last looked.
    pub changes_since_analyze: i64,
    /// How often it was read from end to end.
    pub scans_of_all: i64,
    /// Rows read by that.
    pub rows_of_scans: i64,
    /// How often it was read by an index.
    pub scans_by_index: i64,
    /// Rows written.
    pub rows_inserted: i64,
    /// Rows changed.
    pub rows_updated: i64,
    /// Of those changed without work for the indexes.
    pub rows_updated_in_page: i64,
    /// Rows removed.
    pub rows_deleted: i64,
    /// The last vacuum, by hand or by itself.
    pub vacuumed_at: Option<Timestamp>,
    /// The last analyze.
    pub analyzed_at: Option<Timestamp>,
    /// Blocks of it that were not in the server's cache.
    pub blocks_read: i64,
    /// Those that were.
    pub blocks_hit: i64,
}

/// A table by the age of its oldest transaction number.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OldTable {
    /// Its name.
    pub name: String,
    /// The age of the oldest unfrozen transaction.
    pub transactions: i64,
    /// Of the oldest multixact.
    pub multixacts: i64,
}

/// A sequence and a column that it feeds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sequence {
    /// Its name.
    pub name: String,
    /// The column's table.
    pub table_name: Option<String>,
    /// The column.
    pub column_name: Option<String>,
    /// The column's type, which ends the numbers.
    pub r#type: String,
    /// What it counts by.
    pub step: i64,
    /// Whether it begins anew at its end.
    pub cycles: bool,
    /// The largest number that sequence and column hold.
    pub largest: i64,
    /// The last one drawn.
    pub last: Option<i64>,
    /// Whether our role may read it, and nobody changes it just now.
    pub is_visible: bool,
    /// Numbers used, in percent.
    pub used_percent: f64,
}

/// Room in a table or B-tree that nobody uses, as estimated.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bloat {
    /// Its name.
    pub name: String,
    /// Its number.
    pub oid: i64,
    /// Whether it is an index.
    pub is_index: bool,
    /// The index's table, or the table itself.
    pub table_name: String,
    /// Its size.
    pub bytes: i64,
    /// What of it nobody uses; unknown where the rows' widths are not to be seen.
    pub wasted_bytes: Option<i64>,
    /// The same in percent.
    pub wasted_percent: Option<f64>,
}

/// The same of a table, as measured by `pgstattuple_approx`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FreeSpace {
    /// The table.
    pub name: String,
    /// Its number.
    pub oid: i64,
    /// Its size, without TOAST.
    pub bytes: i64,
    /// Dead rows.
    pub rows_dead: i64,
    /// Their bytes.
    pub dead_bytes: i64,
    /// Bytes free.
    pub free_bytes: i64,
    /// Both in percent.
    pub wasted_percent: f64,
}

/// Unused room.
#[derive(Debug, Clone, Serialize)]
pub struct Room {
    /// Tables and B-trees by estimate, the most wasteful first.
    pub estimated: Vec<Bloat>,
    /// How many could not be estimated, because this role does not see how wide their rows are.
    pub not_estimated: usize,
    /// Tables as measured.
    pub measured: Seen<Vec<FreeSpace>>,
}

/// The tables, the largest first.
///
/// # Errors
/// [`Unseen`].
pub async fn tables(session: &Session) -> Result<Vec<Table>, Unseen> {
    session.rows(TABLES, &[&ROWS_MAX]).await
}

/// Those with the oldest transaction numbers.
///
/// # Errors
/// [`Unseen`].
pub async fn oldest_tables(session: &Session) -> Result<Vec<OldTable>, Unseen> {
    session.rows(OLDEST, &[&OLDEST_MAX]).await
}

/// The sequences, the fullest first.
///
/// # Errors
/// [`Unseen`].
pub async fn sequences(session: &Session) -> Result<Vec<Sequence>, Unseen> {
    session.rows(SEQUENCES, &[&ROWS_MAX]).await
}

/// Room that nobody uses.
///
/// # Errors
/// [`Unseen`].
pub async fn room(session: &Session) -> Result<Room, Unseen> {
    let all: Vec<Bloat> = session.rows(BLOAT, &[&ROWS_MAX]).await?;
    let (estimated, unknown): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| one.wasted_bytes.is_some());
    let measured = match &session.tuples().schema {
        Some(_) => session.rows(FREE_SPACE, &[&MEASURED_BYTES_MAX]).await,
        None => Err(Unseen::new(
            "the extension pgstattuple is not installed",
            if session.tuples().is_available {
                "as administrator: CREATE EXTENSION pgstattuple"
            } else {
                "install PostgreSQL's contrib package on the server, then CREATE EXTENSION pgstattuple"
            },
        )),
    };
    Ok(Room { estimated, not_estimated: unknown.len(), measured: measured.into() })
}
