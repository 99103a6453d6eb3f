//! The server as a whole: limits, clients, standbys, archiving, transaction numbers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::session::Session;
use super::unseen::{Seen, Unseen};

const SERVER: &str = include_str!("../../queries/monitor/server.sql");
const CONNECTIONS: &str = include_str!("../../queries/monitor/connections.sql");
const WRAPAROUND: &str = include_str!("../../queries/monitor/wraparound.sql");
const REPLICATION: &str = include_str!("../../queries/monitor/replication.sql");
const SLOTS: &str = include_str!("../../queries/monitor/slots.sql");
const ARCHIVING: &str = include_str!("../../queries/monitor/archiving.sql");
const ARCHIVE_WAITING: &str = include_str!("../../queries/monitor/archive_waiting.sql");
/// Rows taken of each of these lists.
const ROWS_MAX: i64 = 200;

/// A server, and as whom we look at it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Server {
    /// As it names itself, such as `15.18 (Debian …)`.
    pub version: String,
    /// Such as 150018.
    pub version_number: i32,
    /// What no two clusters have in common, but a primary and its standbys have.
    pub system_identifier: String,
    /// When it was looked at, by its own clock.
    pub read_at: Timestamp,
    /// When it was started.
    pub started_at: Timestamp,
    /// Whether it follows another one.
    pub is_standby: bool,
    /// Clients it takes at once, `max_connections`.
    pub connections_max: i64,
    /// Of those kept for superusers.
    pub connections_reserved: i64,
    /// Clients there are, this one among them.
    pub connections: i64,
    /// The same in percent of `connections_max`.
    pub connections_percent: f64,
    /// Since when it counts; a crash begins anew.
    pub counted_since: Timestamp,
    /// As whom we look.
    pub role: String,
    /// Whether that role sees what other roles do.
    pub sees_all: bool,
    /// Whether the server vacuums by itself.
    pub autovacuum: bool,
}

/// Clients of one database and role in one state, without this session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Clients {
    /// The database.
    pub database: String,
    /// The role.
    pub role: String,
    /// `active`, `idle`, `idle in transaction`, …; `hidden` where our role may not see it.
    pub state: String,
    /// How many.
    pub connections: i64,
    /// Of those that wait for a lock.
    pub waiting_for_locks: i64,
    /// The age of the oldest session, in milliseconds.
    pub session_ms_max: Option<i64>,
    /// Of the oldest transaction.
    pub transaction_ms_max: Option<i64>,
    /// How long the longest has been in this state.
    pub state_ms_max: Option<i64>,
}

/// How far a database is from running out of transaction numbers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Wraparound {
    /// The database.
    pub database: String,
    /// The age of its oldest unfrozen transaction.
    pub transactions: i64,
    /// Of its oldest multixact.
    pub multixacts: i64,
    /// Percent of the 2³¹ there are.
    pub transactions_percent: f64,
    /// The same for multixacts.
    pub multixacts_percent: f64,
    /// From which age on the server freezes by itself, `autovacuum_freeze_max_age`.
    pub transactions_max: i64,
    /// `autovacuum_multixact_freeze_max_age`.
    pub multixacts_max: i64,
}

/// A standby.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Standby {
    /// Its `application_name`.
    pub standby: String,
    /// Its address; empty on a unix socket.
    pub address: String,
    /// `streaming`, `catchup`, …
    pub state: Option<String>,
    /// `sync`, `async`, `quorum`, `potential`.
    pub sync_state: Option<String>,
    /// Bytes of write-ahead log that it has not replayed.
    pub behind_bytes: Option<i64>,
    /// The same as time.
    pub behind_ms: i64,
}

/// A replication slot.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Slot {
    /// Its name.
    pub name: String,
    /// `physical` or `logical`.
    pub kind: String,
    /// The database of a logical one.
    pub database: String,
    /// Whether somebody reads it.
    pub active: bool,
    /// `reserved`, `extended`, `unreserved`, `lost`.
    pub wal_status: Option<String>,
    /// Bytes of write-ahead log that it keeps.
    pub kept_bytes: Option<i64>,
}

/// Archiving of the write-ahead log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Archiving {
    /// `off`, `on` or `always`.
    pub mode: String,
    /// Files archived.
    pub archived: i64,
    /// The last one.
    pub archived_last: Option<String>,
    /// When.
    pub archived_at: Option<Timestamp>,
    /// Failed tries.
    pub failed: i64,
    /// The last one.
    pub failed_last: Option<String>,
    /// When.
    pub failed_at: Option<Timestamp>,
    /// Whether the last try failed.
    pub is_failing: bool,
    /// Since when these are counted.
    pub counted_since: Option<Timestamp>,
    /// How far this server is behind its primary, if it has one, in milliseconds.
    pub standby_behind_ms: Option<i64>,
    /// Files that wait to be archived.
    #[serde(default)]
    pub waiting: Option<i64>,
}

/// Standbys, slots, archiving.
#[derive(Debug, Clone, Serialize)]
pub struct Replication {
    /// The standbys of this server.
    pub standbys: Vec<Standby>,
    /// Its slots.
    pub slots: Vec<Slot>,
    /// Its archive.
    pub archiving: Archiving,
}

/// Looks at the server.
///
/// # Errors
/// [`Unseen`].
pub async fn server(session: &Session) -> Result<Server, Unseen> {
    session.row(SERVER).await
}

/// Its clients, by database, role and state.
///
/// # Errors
/// [`Unseen`].
pub async fn clients(session: &Session) -> Result<Vec<Clients>, Unseen> {
    session.rows(CONNECTIONS, &[&ROWS_MAX]).await
}

/// Its databases' transaction numbers.
///
/// # Errors
/// [`Unseen`].
pub async fn wraparound(session: &Session) -> Result<Vec<Wraparound>, Unseen> {
    session.rows(WRAPAROUND, &[&ROWS_MAX]).await
}

/// Its standbys, slots and archive.
///
/// # Errors
/// [`Unseen`].
pub async fn replication(session: &Session) -> Result<Replication, Unseen> {
    #[derive(Deserialize)]
    struct Waiting {
        waiting: i64,
    }
    let mut archiving: Archiving = session.row(ARCHIVING).await?;
    if archiving.mode != "off" {
        let waiting: Seen<Waiting> = session.row(ARCHIVE_WAITING).await.into();
        archiving.waiting = waiting.seen().map(|waiting| waiting.waiting);
    }
    Ok(Replication {
        standbys: session.rows(REPLICATION, &[&ROWS_MAX]).await?,
        slots: session.rows(SLOTS, &[&ROWS_MAX]).await?,
        archiving,
    })
}
