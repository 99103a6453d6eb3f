//! What in a report ought to worry somebody, with the mend.

use serde::Serialize;

use super::cache::Activity;
use super::log::LogReport;
use super::report::{DatabaseReport, Report, ServerReport};
use super::unseen::Seen;

/// Clients, in percent of what the server takes.
const CONNECTIONS_PERCENT_MAX: f64 = 80.0;
/// Age of a transaction, in milliseconds.
const TRANSACTION_MS_MAX: i64 = 5 * 60 * 1000;
/// How long one may sit idle, in milliseconds.
const IDLE_IN_TRANSACTION_MS_MAX: i64 = 60 * 1000;
/// How long somebody may wait for a lock, in milliseconds.
const LOCK_WAIT_MS_MAX: i64 = 5_000;
/// Blocks found in the cache, in percent, where at least so many were asked for.
const CACHE_HIT_PERCENT_MIN: f64 = 99.0;
const CACHE_BLOCKS_MIN: i64 = 100_000;
/// Dead rows: so many, and so many in percent.
const DEAD_ROWS_MAX: i64 = 10_000;
const DEAD_PERCENT_MAX: f64 = 10.0;
/// Unused room: so many percent of so many bytes.
const WASTED_PERCENT_MAX: f64 = 80.0;
const WASTED_BYTES_MAX: i64 = 200 * 1024 * 1024;
/// Numbers drawn from a sequence, in percent.
const SEQUENCE_PERCENT_MAX: f64 = 75.0;
/// Transaction numbers used, in percent of all there are.
const WRAPAROUND_PERCENT_MAX: f64 = 25.0;
/// Write-ahead log that a slot keeps.
const SLOT_BYTES_MAX: i64 = 1024 * 1024 * 1024;
/// How far a standby may be behind, in milliseconds.
const STANDBY_MS_MAX: i64 = 300 * 1000;

/// Something to look after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Concern {
    /// The database; empty where it is about the server.
    pub database: String,
    /// What is the matter.
    pub what: String,
    /// What to do.
    pub mend: String,
}

#[derive(Default)]
struct Concerns {
    database: String,
    list: Vec<Concern>,
}

impl Concerns {
    fn add(&mut self, what: impl Into<String>, mend: impl Into<String>) {
        self.list.push(Concern { database: self.database.clone(), what: what.into(), mend: mend.into() });
    }
}

/// All concerns of a report and of the log.
#[must_use]
pub fn concerns(report: &Report, log: Option<&LogReport>) -> Vec<Concern> {
    let mut concerns = Concerns::default();
    for server in &report.servers {
        of_server(server, &mut concerns);
    }
    if let Some(log) = log.filter(|log| log.crashes > 0) {
        let what = format!("{} of the server's processes died, by its log", log.crashes);
        concerns.add(what, "read the log around it; the server has begun anew, and its counters with it");
    }
    for database in &report.databases {
        concerns.database = database.database.clone().unwrap_or_else(|| database.service.to_owned());
        if let Some(unseen) = &database.unreachable {
            concerns.add(&unseen.unseen, &unseen.mend);
        }
        of_rows(database, &mut concerns);
        of_clients(database, &mut concerns);
        if let Some(activity) = &database.activity {
            of_activity(activity, &mut concerns);
        }
    }
    concerns.list
}

fn of_server(server: &ServerReport, concerns: &mut Concerns) {
    if server.server.connections_percent > CONNECTIONS_PERCENT_MAX {
        let what = format!("{} of {} connections are taken", server.server.connections, server.server.connections_max);
        concerns.add(
            what,
            "see who takes them below; fewer `connections` in the configuration, or a larger max_connections",
        );
    }
    if !server.server.autovacuum {
        concerns.add("autovacuum is off", "set autovacuum = on");
    }
    for one in server.wholes.wraparound.iter().filter_map(Seen::seen).flatten() {
        let most = one.transactions_percent.max(one.multixacts_percent);
        if most > WRAPAROUND_PERCENT_MAX {
            let what = format!("{}: {most} % of its transaction numbers are used", one.database);
            concerns.add(
                what,
                "look for old transactions, slots and prepared ones that hold vacuum back, then VACUUM (FREEZE)",
            );
        }
    }
    let Some(replication) = server.wholes.replication.as_ref().and_then(Seen::seen) else { return };
    if replication.archiving.is_failing {
        let file = replication.archiving.failed_last.as_deref().unwrap_or("the log");
        concerns.add(format!("archiving fails, last for {file}"), "look at archive_command and the server's log");
    }
    for slot in &replication.slots {
        let kept = slot.kept_bytes.unwrap_or(0);
        if kept > SLOT_BYTES_MAX {
            let what = format!("slot {} keeps {} MiB of write-ahead log", slot.name, kept / 1024 / 1024);
            concerns.add(what, "bring its reader back, or pg_drop_replication_slot()");
        }
    }
    for standby in replication.standbys.iter().filter(|standby| standby.behind_ms > STANDBY_MS_MAX) {
        concerns.add(
            format!("standby {} is {} s behind", standby.standby, standby.behind_ms / 1000),
            "look at its disk, its network, and long queries on it",
        );
    }
}

fn of_rows(database: &DatabaseReport, concerns: &mut Concerns) {
    for table in database.tables.iter().filter_map(Seen::seen).flatten() {
        if table.rows_dead > DEAD_ROWS_MAX && table.dead_percent >= DEAD_PERCENT_MAX {
            let what = format!("{}: {} dead rows, {} %", table.name, table.rows_dead, table.dead_percent);
            concerns.add(what, format!("VACUUM (ANALYZE) {}; look for old transactions that hold it back", table.name));
        }
    }
    let room = database.present.bloat.as_ref().and_then(Seen::seen);
    for one in room.iter().flat_map(|room| &room.estimated) {
        let wasted = one.wasted_percent.unwrap_or(0.0) > WASTED_PERCENT_MAX;
        if wasted && one.wasted_bytes.unwrap_or(0) > WASTED_BYTES_MAX {
            let what = format!("{}: {} % of it is unused room", one.name, one.wasted_percent.unwrap_or(0.0));
            let mend = if one.is_index {
                format!("REINDEX INDEX CONCURRENTLY {}", one.name)
            } else {
                "VACUUM FULL in a quiet hour, or pg_repack".to_owned()
            };
            concerns.add(what, mend);
        }
    }
    for sequence in database.present.sequences.iter().filter_map(Seen::seen).flatten() {
        if sequence.used_percent > SEQUENCE_PERCENT_MAX && !sequence.cycles {
            let what =
                format!("{}: {} % of the numbers of its column's type are used", sequence.name, sequence.used_percent);
            concerns.add(what, "change the column to bigint before they run out");
        }
    }
    let advised = database.advice.iter().filter_map(Seen::seen).flat_map(|advised| &advised.advice);
    for advice in advised.filter(|advice| advice.kind == super::advice::Kind::Invalid) {
        let index = advice.index.as_deref().unwrap_or_default();
        concerns.add(format!("index {index} is invalid"), &advice.mend);
    }
}

fn of_clients(database: &DatabaseReport, concerns: &mut Concerns) {
    for client in database.present.sessions.iter().filter_map(Seen::seen).flatten() {
        let idle = client.state.starts_with("idle in transaction");
        let (age, state) = (client.transaction_ms.unwrap_or(0), client.state_ms.unwrap_or(0));
        if (idle && state > IDLE_IN_TRANSACTION_MS_MAX) || age > TRANSACTION_MS_MAX {
            let what = format!(
                "process {} ({}) has been in a transaction for {} s, {}",
                client.pid,
                client.role,
                age / 1000,
                client.state
            );
            concerns.add(what, format!("end it if nobody needs it: SELECT pg_terminate_backend({})", client.pid));
        }
    }
    for wait in database.present.locks.iter().filter_map(Seen::seen).flatten() {
        let root = wait.blocker.filter(|_| wait.blocker_waits == Some(false));
        if let Some(blocker) = root.filter(|_| wait.waited_ms > LOCK_WAIT_MS_MAX) {
            let what = format!(
                "process {} has waited {} s for a lock that process {blocker} holds",
                wait.waiter,
                wait.waited_ms / 1000
            );
            concerns.add(what, format!("end it if nobody needs it: SELECT pg_terminate_backend({blocker})"));
        }
    }
}

fn of_activity(activity: &Activity, concerns: &mut Concerns) {
    let counters = &activity.counters;
    let hit = activity.cache_hit_percent.filter(|_| counters.blocks_hit + counters.blocks_read >= CACHE_BLOCKS_MIN);
    if let Some(hit) = hit.filter(|hit| *hit < CACHE_HIT_PERCENT_MIN) {
        concerns.add(
            format!("only {hit} % of its blocks were in the server's cache"),
            "see which tables below; a larger shared_buffers",
        );
    }
    if counters.checksum_failures > 0 {
        let what = format!("{} damaged pages were met", counters.checksum_failures);
        concerns.add(what, "the disk or memory fails: restore the newest proven backup on another machine");
    }
    if counters.deadlocks > 0 {
        let what = format!("{} deadlocks", counters.deadlocks);
        concerns.add(what, "the statements are in the server's log; one of the two was tried again or failed");
    }
}
