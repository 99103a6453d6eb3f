//! What a server's health is judged by.

use jiff::Timestamp;

use super::lookout::{LookError, Lookout};

const CONDITION: &str = include_str!("../../queries/monitor/condition.sql");
const ARCHIVE_LAG: &str = include_str!("../../queries/monitor/archive_lag.sql");

/// A server at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// As people write it.
    pub version: String,
    /// `server_version_num`.
    pub version_number: i32,
    /// How far its clock is from ours at least, in milliseconds: the time that the answer took is not held against it.
    pub clock_apart_ms: i64,
    /// Whether it only follows another server.
    pub is_standby: bool,
    /// Whether it archives its log.
    pub archives: bool,
    /// Whether the last attempt to archive failed.
    pub archiving_fails: bool,
    /// How long the oldest file has waited to be archived, in seconds; unknown to roles that may not look.
    pub archive_lag_seconds: Option<f64>,
    /// Standbys that follow it.
    pub standbys: i64,
    /// How far the slowest of them is behind, in seconds.
    pub standby_lag_seconds: f64,
    /// Replication slots that nobody reads.
    pub idle_slots: i64,
    /// The most log that a slot keeps, in bytes.
    pub slot_bytes: i64,
    /// Client sessions.
    pub connections: i64,
    /// How many it takes.
    pub connections_max: i64,
}

/// Looks at the server of a database.
///
/// # Errors
/// [`LookError`].
pub async fn read(lookout: &Lookout) -> Result<Condition, LookError> {
    lookout
        .look(async |connection| {
            let before = Timestamp::now();
            let row = connection.query_one(CONDITION, &[]).await?;
            let (clock, after): (Timestamp, _) = (row.get("clock"), Timestamp::now());
            let apart =
                (before.as_millisecond() - clock.as_millisecond()).max(clock.as_millisecond() - after.as_millisecond());
            // Needs pg_monitor, which the role may lack.
            let lag = connection.query_one(ARCHIVE_LAG, &[]).await.ok();
            Ok(Condition {
                version: row.get("version"),
                version_number: row.get("version_number"),
                clock_apart_ms: apart.max(0),
                is_standby: row.get("is_standby"),
                archives: row.get("archives"),
                archiving_fails: row.get("archiving_fails"),
                archive_lag_seconds: lag.map(|row| row.get("seconds")),
                standbys: row.get("standbys"),
                standby_lag_seconds: row.get("standby_lag_seconds"),
                idle_slots: row.get("idle_slots"),
                slot_bytes: row.get("slot_bytes"),
                connections: row.get("connections"),
                connections_max: row.get("connections_max"),
            })
        })
        .await
}
