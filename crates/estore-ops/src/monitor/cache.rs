//! Cache and activity within a window.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::database::DatabaseCounters;
use super::look::Counters;
use super::percent::percent;
use super::table::Table;

/// What a database did within a window.
#[derive(Debug, Clone, Serialize)]
pub struct Activity {
    /// Since when.
    pub since: Timestamp,
    /// Whether the statistics were reset within the window, which then begins there.
    pub was_reset: bool,
    /// Blocks found in the server's cache, in percent of all that were asked for.
    pub cache_hit_percent: Option<f64>,
    /// Transactions that did not end well, in percent.
    pub rollback_percent: Option<f64>,
    /// The counters of the window; its sizes and connections are those of now.
    #[serde(flatten)]
    pub counters: DatabaseCounters,
}

/// How a table was read within a window.
#[derive(Debug, Clone, Serialize)]
pub struct TableReads {
    /// The table.
    pub name: String,
    /// Blocks of it and its indexes that were not in the server's cache.
    pub blocks_read: i64,
    /// Those that were.
    pub blocks_hit: i64,
    /// These in percent.
    pub cache_hit_percent: Option<f64>,
    /// How often it was read from end to end.
    pub scans_of_all: i64,
    /// Rows read by that.
    pub rows_of_scans: i64,
    /// How often it was read by an index.
    pub scans_by_index: i64,
}

impl TableReads {
    /// What of a table a look keeps.
    pub(crate) fn counters(table: &Table) -> [i64; 5] {
        [table.blocks_read, table.blocks_hit, table.scans_of_all, table.rows_of_scans, table.scans_by_index]
    }
}

/// What was done between two looks, or since the statistics were reset.
#[must_use]
pub fn activity(now: &DatabaseCounters, then: Option<(&DatabaseCounters, Timestamp)>) -> Activity {
    let was_reset = then.is_some_and(|(then, _)| then.counted_since != now.counted_since);
    let then = then.filter(|_| !was_reset);
    let counters = then.map_or_else(|| now.clone(), |(then, _)| between(now, then));
    Activity {
        since: then.map_or(now.counted_since, |(_, at)| at),
        was_reset,
        cache_hit_percent: percent(counters.blocks_hit, counters.blocks_hit + counters.blocks_read),
        rollback_percent: percent(counters.rollbacks, counters.commits + counters.rollbacks),
        counters,
    }
}

fn between(now: &DatabaseCounters, then: &DatabaseCounters) -> DatabaseCounters {
    DatabaseCounters {
        commits: now.commits - then.commits,
        rollbacks: now.rollbacks - then.rollbacks,
        blocks_read: now.blocks_read - then.blocks_read,
        blocks_hit: now.blocks_hit - then.blocks_hit,
        rows_returned: now.rows_returned - then.rows_returned,
        rows_fetched: now.rows_fetched - then.rows_fetched,
        rows_inserted: now.rows_inserted - then.rows_inserted,
        rows_updated: now.rows_updated - then.rows_updated,
        rows_deleted: now.rows_deleted - then.rows_deleted,
        conflicts: now.conflicts - then.conflicts,
        deadlocks: now.deadlocks - then.deadlocks,
        temp_files: now.temp_files - then.temp_files,
        temp_bytes: now.temp_bytes - then.temp_bytes,
        checksum_failures: now.checksum_failures - then.checksum_failures,
        sessions: now.sessions - then.sessions,
        sessions_abandoned: now.sessions_abandoned - then.sessions_abandoned,
        sessions_fatal: now.sessions_fatal - then.sessions_fatal,
        sessions_killed: now.sessions_killed - then.sessions_killed,
        session_ms: now.session_ms - then.session_ms,
        active_ms: now.active_ms - then.active_ms,
        idle_in_transaction_ms: now.idle_in_transaction_ms - then.idle_in_transaction_ms,
        ..now.clone()
    }
}

/// How tables were read, those with the most blocks from outside the cache first.
#[must_use]
pub fn table_reads(tables: &[Table], now: &DatabaseCounters, then: Option<(&Counters, Timestamp)>) -> Vec<TableReads> {
    let same = then
        .filter(|(then, _)| then.database.as_ref().is_some_and(|database| database.counted_since == now.counted_since));
    let nothing = BTreeMap::new();
    let before = same.map_or(&nothing, |(then, _)| &then.tables);
    let mut reads: Vec<TableReads> = tables
        .iter()
        .map(|table| {
            let now = TableReads::counters(table);
            let then = before.get(&table.oid).filter(|then| then.iter().zip(&now).all(|(then, now)| then <= now));
            let then = then.copied().unwrap_or_default();
            let [blocks_read, blocks_hit, scans_of_all, rows_of_scans, scans_by_index] =
                std::array::from_fn(|at| now[at] - then[at]);
            TableReads {
                name: table.name.clone(),
                blocks_read,
                blocks_hit,
                cache_hit_percent: percent(blocks_hit, blocks_hit + blocks_read),
                scans_of_all,
                rows_of_scans,
                scans_by_index,
            }
        })
        .collect();
    reads.sort_by_key(|table| std::cmp::Reverse((table.blocks_read, table.blocks_hit)));
    reads
}
