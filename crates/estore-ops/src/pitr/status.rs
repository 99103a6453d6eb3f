//! How archiving goes, as the server sees it.

use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::Client;

use super::error::PitrError;

const STATUS: &str = include_str!("../../queries/pitr_archive_status.sql");

/// How archiving goes. For whoever may read the server's statistics (`pg_monitor`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArchiveStatus {
    /// Whether the server archives at all.
    pub is_on: bool,
    /// Whether it will only after its next start.
    pub needs_restart: bool,
    /// A segment is sent after so many seconds, full or not; 0 for full ones only.
    pub timeout_seconds: i32,
    /// Segments sent since the statistics were reset.
    pub archived_count: i64,
    /// The last segment that was sent.
    pub last_archived: Option<String>,
    /// When.
    pub last_archived_at: Option<Timestamp>,
    /// Tries that failed since the statistics were reset.
    pub failed_count: i64,
    /// The last segment that could not be sent.
    pub last_failed: Option<String>,
    /// When.
    pub last_failed_at: Option<Timestamp>,
    /// Segments that wait to be sent. The server keeps them until they are, whatever room that takes.
    pub waiting: i64,
    /// How long the oldest of them has waited, in seconds; 0 where none waits.
    pub lag_seconds: i64,
    /// What the server's log takes on the disk, in bytes.
    pub wal_bytes: i64,
}

impl ArchiveStatus {
    /// Whether the last try failed, and nothing has been sent since.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.is_on && self.last_failed_at.is_some() && self.last_failed_at > self.last_archived_at
    }
}

/// How archiving goes on the server of a connection.
///
/// # Errors
/// [`PitrError::Database`], such as for a role that may not look.
pub async fn archive_status(server: &Client) -> Result<ArchiveStatus, PitrError> {
    let row = server.query_one(STATUS, &[]).await.map_err(PitrError::database("tell how archiving goes"))?;
    Ok(ArchiveStatus {
        is_on: row.get("is_on"),
        needs_restart: row.get("needs_restart"),
        timeout_seconds: row.get("timeout_seconds"),
        archived_count: row.get("archived_count"),
        last_archived: row.get("last_archived_wal"),
        last_archived_at: row.get("last_archived_time"),
        failed_count: row.get("failed_count"),
        last_failed: row.get("last_failed_wal"),
        last_failed_at: row.get("last_failed_time"),
        waiting: row.get("waiting"),
        lag_seconds: row.get("lag_seconds"),
        wal_bytes: row.get("wal_bytes"),
    })
}
