//! One database: its counters, its oldest sessions, who waits for whom.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::session::Session;
use super::sql_text::shown;
use super::unseen::Unseen;

const DATABASE: &str = include_str!("../../queries/monitor/database.sql");
const SESSIONS: &str = include_str!("../../queries/monitor/sessions.sql");
const LOCKS: &str = include_str!("../../queries/monitor/locks.sql");
/// Rows taken of each of these lists.
const ROWS_MAX: i64 = 100;
/// Characters of a statement that are shown.
pub(crate) const STATEMENT_CHARACTERS_MAX: usize = 400;

/// What the server counts for a database, all sessions together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseCounters {
    /// Its name.
    pub database: String,
    /// Its number.
    pub oid: i64,
    /// Its size.
    pub bytes: i64,
    /// Sessions now, this one among them.
    pub connections: i64,
    /// Transactions that ended well.
    pub commits: i64,
    /// Those that did not.
    pub rollbacks: i64,
    /// Blocks that were not in the server's cache.
    pub blocks_read: i64,
    /// Those that were.
    pub blocks_hit: i64,
    /// Rows read by scans of whole tables and indexes.
    pub rows_returned: i64,
    /// Rows fetched by an index.
    pub rows_fetched: i64,
    /// Rows written.
    pub rows_inserted: i64,
    /// Rows changed.
    pub rows_updated: i64,
    /// Rows removed.
    pub rows_deleted: i64,
    /// Statements cancelled on a standby for the sake of replay.
    pub conflicts: i64,
    /// Deadlocks.
    pub deadlocks: i64,
    /// Files for sorts and hashes that did not fit into `work_mem`.
    pub temp_files: i64,
    /// Their bytes.
    pub temp_bytes: i64,
    /// Damaged pages that were met.
    pub checksum_failures: i64,
    /// Sessions that were begun.
    pub sessions: i64,
    /// Of those ended by a client that went without a word.
    pub sessions_abandoned: i64,
    /// Ended by an error.
    pub sessions_fatal: i64,
    /// Ended by an administrator.
    pub sessions_killed: i64,
    /// Time in sessions, in milliseconds.
    pub session_ms: i64,
    /// Time in statements.
    pub active_ms: i64,
    /// Time idle in transactions.
    pub idle_in_transaction_ms: i64,
    /// Since when all this is counted.
    pub counted_since: Timestamp,
}

/// A client's session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClientSession {
    /// Its process on the server.
    pub pid: i64,
    /// Its role.
    pub role: String,
    /// What it calls itself.
    pub application: String,
    /// Where it comes from; empty on a unix socket.
    pub address: String,
    /// `active`, `idle`, `idle in transaction`, …
    pub state: String,
    /// What kind of thing it waits for.
    pub waits_for: Option<String>,
    /// What exactly.
    pub event: Option<String>,
    /// The session's age, in milliseconds.
    pub session_ms: Option<i64>,
    /// Its transaction's.
    pub transaction_ms: Option<i64>,
    /// Since its last statement began.
    pub statement_ms: Option<i64>,
    /// Since it came into its state.
    pub state_ms: Option<i64>,
    /// That statement, without values.
    pub statement: Option<String>,
}

/// Somebody who waits for a lock, and one who is in the way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Wait {
    /// The process that waits.
    pub waiter: i64,
    /// Its role.
    pub waiter_role: String,
    /// What it calls itself.
    pub waiter_application: Option<String>,
    /// Its statement, without values.
    pub waiter_statement: Option<String>,
    /// `relation`, `transactionid`, `tuple`, …
    pub lock: String,
    /// Such as `AccessShareLock`.
    pub mode: String,
    /// The table, where the lock is one of a table.
    pub table_name: Option<String>,
    /// How long it has been waiting, in milliseconds.
    pub waited_ms: i64,
    /// The process in the way.
    pub blocker: Option<i64>,
    /// Its role.
    pub blocker_role: Option<String>,
    /// What it calls itself.
    pub blocker_application: Option<String>,
    /// Its state.
    pub blocker_state: Option<String>,
    /// Its transaction's age, in milliseconds.
    pub blocker_transaction_ms: Option<i64>,
    /// Its last statement, without values.
    pub blocker_statement: Option<String>,
    /// Whether it waits itself: then it is not the one to end.
    pub blocker_waits: Option<bool>,
}

/// The database's counters.
///
/// # Errors
/// [`Unseen`].
pub async fn counters(session: &Session) -> Result<DatabaseCounters, Unseen> {
    session.row(DATABASE).await
}

/// Its clients whose transactions, or else sessions, are the oldest.
///
/// # Errors
/// [`Unseen`].
pub async fn sessions(session: &Session) -> Result<Vec<ClientSession>, Unseen> {
    let mut sessions: Vec<ClientSession> = session.rows(SESSIONS, &[&ROWS_MAX]).await?;
    for client in &mut sessions {
        hide(&mut client.statement);
    }
    Ok(sessions)
}

/// Who waits for whom.
///
/// # Errors
/// [`Unseen`].
pub async fn waits(session: &Session) -> Result<Vec<Wait>, Unseen> {
    let mut waits: Vec<Wait> = session.rows(LOCKS, &[&ROWS_MAX]).await?;
    for wait in &mut waits {
        hide(&mut wait.waiter_statement);
        hide(&mut wait.blocker_statement);
    }
    Ok(waits)
}

/// What people type has values in it.
fn hide(statement: &mut Option<String>) {
    if let Some(text) = statement {
        *text = shown(text, STATEMENT_CHARACTERS_MAX);
    }
}
