//! What is looked at to tell how the shop is, each with its bound and its mend; for `estore doctor` and for readiness.

pub mod certificates;
pub mod migrations;

use std::path::Path;

use estore_ops::monitor::condition::Condition;
use jiff::Timestamp;
use serde::Serialize;

use crate::metrics::backups::Known;

/// Free space below which the disk is in danger, in bytes.
const DISK_FREE_BYTES_MIN: u64 = 2 * GIB;
/// So much is enough, whatever its share of the disk.
const DISK_FREE_BYTES_GOOD: u64 = 20 * GIB;
/// The share of the disk that should be free, in percent.
const DISK_FREE_PERCENT_MIN: u64 = 10;
/// How far a database's clock may be from ours, in milliseconds.
const CLOCK_APART_MS_MAX: i64 = 2_000;
/// The oldest PostgreSQL that is supported, as `server_version_num`.
const SERVER_VERSION_MIN: i32 = 150_000;
/// How far a standby may be behind, and how long log may wait to be archived, in seconds.
const LAG_SECONDS_MAX: f64 = 300.0;
/// How much log a replication slot may keep, in bytes.
const SLOT_BYTES_MAX: i64 = 10 * 1024 * 1024 * 1024;
/// How many of a server's sessions may be in use, in percent.
const CONNECTIONS_PERCENT_MAX: i64 = 80;
/// How old the newest backup may be, in hours: a night's, and two hours to take it.
const BACKUP_HOURS_MAX: i64 = 26;
/// How long ago a backup may have been proven, in days.
const DRILL_DAYS_MAX: i64 = 8;
const GIB: u64 = 1024 * 1024 * 1024;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works, and should be looked at.
    Warning,
    /// It does not work, or will not for long.
    Wrong,
}

/// One look.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub what: String,
    /// Whether it is not wrong.
    pub ok: bool,
    /// How bad it is.
    pub level: Level,
    /// What was seen.
    pub told: String,
    /// What to do, where something is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<&'static str>,
}

impl Finding {
    /// As it should be.
    pub fn ok(what: impl Into<String>, told: impl Into<String>) -> Self {
        Self { what: what.into(), ok: true, level: Level::Ok, told: told.into(), mend: None }
    }

    /// It should be looked at.
    pub fn warning(what: impl Into<String>, told: impl Into<String>, mend: &'static str) -> Self {
        Self { what: what.into(), ok: true, level: Level::Warning, told: told.into(), mend: Some(mend) }
    }

    /// The same of a part of the shop.
    pub fn of(mut self, part: impl std::fmt::Display) -> Self {
        self.what = format!("{part}: {}", self.what);
        self
    }

    /// It must be mended.
    pub fn wrong(what: impl Into<String>, told: impl Into<String>, mend: &'static str) -> Self {
        Self { what: what.into(), ok: false, level: Level::Wrong, told: told.into(), mend: Some(mend) }
    }
}

/// A disk, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Space {
    /// What we may still write.
    pub free: u64,
    /// All of it.
    pub all: u64,
}

impl Space {
    /// Of the disk that a folder is on, or will be.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn under(folder: &Path) -> std::io::Result<Self> {
        let space = nix::sys::statvfs::statvfs(existing(folder))?;
        let (free, all) = (space.blocks_available(), space.blocks());
        Ok(Self { free: free * space.fragment_size(), all: all * space.fragment_size() })
    }
}

fn existing(folder: &Path) -> &Path {
    folder.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"))
}

/// The disk under the data directory.
pub fn disk(data_dir: &Path) -> Finding {
    const MEND: &str = "make room, or point --data-dir at a larger disk";
    let shown = existing(data_dir).display();
    let Space { free, all } = match Space::under(data_dir) {
        Ok(space) => space,
        Err(error) => return Finding::wrong("disk", format!("{shown}: {error}"), MEND),
    };
    let percent = free.saturating_mul(100) / all.max(1);
    let told = format!("{} MiB are free under {shown} ({percent} %)", free / 1024 / 1024);
    if free < DISK_FREE_BYTES_MIN {
        return Finding::wrong("disk", told, MEND);
    }
    if percent < DISK_FREE_PERCENT_MIN && free < DISK_FREE_BYTES_GOOD {
        return Finding::warning("disk", told, MEND);
    }
    Finding::ok("disk", told)
}

/// What a server's condition is worth.
pub fn server(condition: &Condition) -> Vec<Finding> {
    vec![version(condition), clock(condition), connections(condition), replication(condition), archiving(condition)]
}

fn version(condition: &Condition) -> Finding {
    let told = format!("PostgreSQL {}", condition.version);
    if condition.version_number < SERVER_VERSION_MIN {
        return Finding::wrong("version", told, "upgrade the server to PostgreSQL 15 or newer");
    }
    Finding::ok("version", told)
}

fn clock(condition: &Condition) -> Finding {
    let told = format!("{} ms apart from ours", condition.clock_apart_ms);
    if condition.clock_apart_ms > CLOCK_APART_MS_MAX {
        return Finding::wrong("clock", told, "synchronise both machines' clocks (chrony, systemd-timesyncd)");
    }
    Finding::ok("clock", told)
}

fn connections(condition: &Condition) -> Finding {
    let Condition { connections, connections_max, .. } = *condition;
    let told = format!("{connections} of {connections_max} are in use");
    if connections * 100 > connections_max * CONNECTIONS_PERCENT_MAX {
        let mend = "see who holds them (pg_stat_activity); lower `connections`, or raise the server's max_connections";
        return Finding::warning("connections", told, mend);
    }
    Finding::ok("connections", told)
}

fn replication(condition: &Condition) -> Finding {
    let Condition { standbys, standby_lag_seconds, idle_slots, slot_bytes, .. } = *condition;
    if condition.is_standby {
        let mend = "point databases.*.url at the primary, or promote this server: nothing can be written to it";
        return Finding::wrong("replication", "the server is a standby", mend);
    }
    if slot_bytes > SLOT_BYTES_MAX {
        let told = format!("a replication slot keeps {} MiB of log", slot_bytes / 1024 / 1024);
        let mend = "start its reader, or drop the slot (pg_drop_replication_slot): the log it keeps fills the disk";
        return Finding::warning("replication", told, mend);
    }
    if standby_lag_seconds > LAG_SECONDS_MAX {
        let told = format!("a standby is {standby_lag_seconds:.0} s behind");
        return Finding::warning("replication", told, "look at the standby's log, its disk and the network to it");
    }
    if idle_slots > 0 {
        let told = format!("{idle_slots} replication slots have no reader");
        return Finding::warning("replication", told, "start the reader, or drop the slot (pg_drop_replication_slot)");
    }
    match standbys {
        0 => Finding::ok("replication", "no standby follows"),
        _ => Finding::ok("replication", format!("{standbys} follow, {standby_lag_seconds:.0} s behind at most")),
    }
}

fn archiving(condition: &Condition) -> Finding {
    const MEND: &str = "the server's log says why archive_command fails; mend that before the disk is full";
    if !condition.archives {
        return Finding::ok("archiving", "the log is not archived: the newest backup is the way back");
    }
    if condition.archiving_fails {
        return Finding::wrong("archiving", "the last attempt to archive failed", MEND);
    }
    match condition.archive_lag_seconds {
        Some(lag) if lag > LAG_SECONDS_MAX => {
            Finding::warning("archiving", format!("log has waited for {lag:.0} s to be archived"), MEND)
        }
        Some(lag) => Finding::ok("archiving", format!("the oldest log has waited for {lag:.0} s")),
        None => Finding::ok("archiving", "the last attempt worked"),
    }
}

/// What the backups of the target are worth.
pub fn backups(known: &Known, now: Timestamp) -> Finding {
    let Some(newest) = known.newest else {
        return Finding::warning("backups", "there is none", "take one: `estore backup create`");
    };
    let hours = now.duration_since(newest).as_hours();
    if hours >= BACKUP_HOURS_MAX {
        let mend = "take one now (`estore backup create`); the log says why the planned ones failed";
        return Finding::warning("backups", format!("the newest is {hours} hours old"), mend);
    }
    let told = format!("{} sets, the newest {hours} hours old", known.sets);
    let proven_days = known.drill_passed.map(|at| now.duration_since(at).as_hours() / 24);
    match (known.drill, proven_days) {
        (Some((_, false, _)), _) => {
            Finding::warning("backups", format!("{told}; the last proof failed"), "see why: `estore backup verify`")
        }
        (_, Some(days)) if days < DRILL_DAYS_MAX => Finding::ok("backups", format!("{told}, proven {days} days ago")),
        (_, Some(days)) => {
            let told = format!("{told}, proven {days} days ago");
            Finding::warning("backups", told, "prove the newest: `estore backup verify`, by a timer (deploy/)")
        }
        (_, None) => {
            let told = format!("{told}, none proven");
            Finding::warning("backups", told, "prove the newest: `estore backup verify`, by a timer (deploy/)")
        }
    }
}

#[cfg(test)]
mod tests;
