//! What statements cost, by `pg_stat_statements`.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::database::STATEMENT_CHARACTERS_MAX;
use super::percent::percent;
use super::session::{Session, wrapped};
use super::sql_text::{fingerprint, shown};
use super::unseen::Unseen;

const STATEMENTS: &str = include_str!("../../queries/monitor/statements.sql");
const INFO: &str = include_str!("../../queries/monitor/statements_info.sql");
/// As many as the extension keeps unless told otherwise.
const ROWS_MAX: i64 = 5_000;

/// Since when statements are counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementsInfo {
    /// How often the least used statements were dropped for want of room.
    pub dropped: i64,
    /// The last reset; a crash is one.
    pub counted_since: Timestamp,
    /// For how many statements there is room.
    pub statements_max: Option<i64>,
}

/// A statement's counters.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StatementCounters {
    /// What the server calls it; hidden from roles that may not see others' statements.
    pub id: Option<i64>,
    /// Who runs it.
    pub role: Option<String>,
    /// Its text, with `$n` for each constant.
    #[serde(default, skip_serializing)]
    pub statement: Option<String>,
    /// Whether a client sent it, and not a function.
    pub toplevel: bool,
    /// How often.
    pub calls: i64,
    /// Rows it answered or changed.
    pub rows: i64,
    /// Time of all calls, in microseconds.
    pub total_us: i64,
    /// Of the longest.
    pub max_us: i64,
    /// Blocks found in the server's cache.
    pub blocks_hit: i64,
    /// Blocks that were not.
    pub blocks_read: i64,
    /// Blocks that it was the first to change.
    pub blocks_dirtied: i64,
    /// Blocks of sorts and hashes that did not fit into `work_mem`, written or read.
    pub temp_blocks: i64,
    /// Write-ahead log, in bytes.
    pub wal_bytes: i64,
}

/// All of a database.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Statements {
    /// Since when.
    pub info: StatementsInfo,
    /// Each.
    pub list: Vec<StatementCounters>,
}

/// A statement's place in the ranking.
#[derive(Debug, Clone, Serialize)]
pub struct RankedStatement {
    /// The query file that it comes from, where it is known.
    pub name: Option<String>,
    /// The statement, without values.
    pub statement: String,
    /// What the server calls it.
    pub id: Option<i64>,
    /// Who runs it.
    pub role: Option<String>,
    /// How often.
    pub calls: i64,
    /// Rows it answered or changed.
    pub rows: i64,
    /// Time of all calls, in microseconds.
    pub total_us: i64,
    /// The same in percent of all statements'.
    pub total_percent: Option<f64>,
    /// Of one call.
    pub mean_us: i64,
    /// Of the longest since the statistics were reset, in this window or not.
    pub max_us: i64,
    /// Blocks found in the server's cache, in percent.
    pub cache_hit_percent: Option<f64>,
    /// Blocks that did not fit into memory, written or read.
    pub temp_blocks: i64,
    /// Write-ahead log, in bytes.
    pub wal_bytes: i64,
}

/// The statements of a window, the dearest first.
#[derive(Debug, Clone, Serialize)]
pub struct Ranking {
    /// Since when they are counted here.
    pub since: Timestamp,
    /// Whether the statistics were reset within the window, which then begins there.
    pub was_reset: bool,
    /// How often statements were dropped within the window: some may be missing, or lack their earlier calls.
    pub dropped: i64,
    /// Time of all statements, in microseconds.
    pub total_us: i64,
    /// The statements.
    pub statements: Vec<RankedStatement>,
}

/// Query files by what their statements look like.
#[derive(Debug, Default)]
pub struct Names(HashMap<String, String>);

impl Names {
    /// Of names and texts.
    pub fn of<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut names = HashMap::new();
        for (name, text) in files {
            names.entry(fingerprint(text)).or_insert_with(|| name.to_owned());
            if name.contains("monitor/") {
                names.entry(fingerprint(&wrapped(text))).or_insert_with(|| name.to_owned());
            }
        }
        Self(names)
    }

    /// The file that a statement comes from.
    #[must_use]
    pub fn of_statement(&self, text: &str) -> Option<&str> {
        self.0.get(&fingerprint(text)).map(String::as_str)
    }
}

/// Reads the counters.
///
/// # Errors
/// [`Unseen`], with the mend: the extension is missing, or not loaded.
pub async fn statements(session: &Session) -> Result<Statements, Unseen> {
    let extension = session.statements();
    let not_loaded = "put shared_preload_libraries = 'pg_stat_statements' into postgresql.conf, restart the server, then as \
                      administrator: CREATE EXTENSION pg_stat_statements";
    match (&extension.schema, extension.is_loaded, extension.is_available) {
        (Some(_), true, _) => {}
        (None, true, _) => {
            let why = "the extension pg_stat_statements is not installed in this database";
            return Err(Unseen::new(why, "as administrator: CREATE EXTENSION pg_stat_statements"));
        }
        (_, false, true) => return Err(Unseen::new("the server has not loaded pg_stat_statements", not_loaded)),
        (_, false, false) => {
            let mend = format!("install PostgreSQL's contrib package on the server; {not_loaded}");
            return Err(Unseen::new("the server has no pg_stat_statements", mend));
        }
    }
    Ok(Statements { info: session.row(INFO).await?, list: session.rows(STATEMENTS, &[&ROWS_MAX]).await? })
}

/// What was done between two looks, or since the statistics were reset.
#[must_use]
pub fn rank(now: &Statements, then: Option<(&Statements, Timestamp)>, names: &Names) -> Ranking {
    let was_reset = then.is_some_and(|(then, _)| then.info.counted_since != now.info.counted_since);
    let then = then.filter(|_| !was_reset);
    let before: HashMap<_, _> = then.iter().flat_map(|(then, _)| &then.list).map(|one| (key(one), one)).collect();
    let changes = now.list.iter().map(|one| (one, since(one, before.get(&key(one)).copied())));
    let changed: Vec<_> = changes.filter(|(_, change)| change.calls > 0).collect();
    let total_us = changed.iter().map(|(_, change)| change.total_us).sum();
    let ranked = |(now, change): &(&StatementCounters, StatementCounters)| {
        let text = now.statement.as_deref().unwrap_or_default();
        RankedStatement {
            name: names.of_statement(text).map(str::to_owned),
            statement: shown(text, STATEMENT_CHARACTERS_MAX),
            id: change.id,
            role: change.role.clone(),
            calls: change.calls,
            rows: change.rows,
            total_us: change.total_us,
            total_percent: percent(change.total_us, total_us),
            mean_us: change.total_us / change.calls.max(1),
            max_us: change.max_us,
            cache_hit_percent: percent(change.blocks_hit, change.blocks_hit + change.blocks_read),
            temp_blocks: change.temp_blocks,
            wal_bytes: change.wal_bytes,
        }
    };
    let mut statements: Vec<RankedStatement> = changed.iter().map(ranked).collect();
    statements.sort_by_key(|one| std::cmp::Reverse(one.total_us));
    Ranking {
        since: then.map_or(now.info.counted_since, |(_, taken_at)| taken_at),
        was_reset,
        dropped: now.info.dropped - then.map_or(0, |(then, _)| then.info.dropped),
        total_us,
        statements,
    }
}

fn key(one: &StatementCounters) -> (Option<i64>, Option<&str>, bool) {
    (one.id, one.role.as_deref(), one.toplevel)
}

/// A statement that was dropped meanwhile and came back counts from nought.
fn since(now: &StatementCounters, then: Option<&StatementCounters>) -> StatementCounters {
    let Some(then) = then.filter(|then| then.calls <= now.calls && then.total_us <= now.total_us) else {
        return StatementCounters { statement: None, ..now.clone() };
    };
    StatementCounters {
        id: now.id,
        role: now.role.clone(),
        statement: None,
        toplevel: now.toplevel,
        calls: now.calls - then.calls,
        rows: now.rows - then.rows,
        total_us: now.total_us - then.total_us,
        max_us: now.max_us,
        blocks_hit: now.blocks_hit - then.blocks_hit,
        blocks_read: now.blocks_read - then.blocks_read,
        blocks_dirtied: now.blocks_dirtied - then.blocks_dirtied,
        temp_blocks: now.temp_blocks - then.temp_blocks,
        wal_bytes: now.wal_bytes - then.wal_bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(calls: i64, since: i64, dropped: i64) -> Statements {
        let one = StatementCounters {
            id: Some(7),
            role: None,
            statement: Some("SELECT a FROM t WHERE b = $1".to_owned()),
            toplevel: true,
            calls,
            rows: calls,
            total_us: calls * 10,
            max_us: 11,
            blocks_hit: calls * 3,
            blocks_read: calls,
            blocks_dirtied: 0,
            temp_blocks: 0,
            wal_bytes: 0,
        };
        let counted_since = Timestamp::from_second(since).unwrap();
        Statements { info: StatementsInfo { dropped, counted_since, statements_max: None }, list: vec![one] }
    }

    #[test]
    fn a_window_holds_what_came_since() {
        let names = Names::of([("payments/find_t", "-- Finds.\nSELECT a FROM t\n  WHERE b = 'x'\n")]);
        let taken_at = Timestamp::from_second(200).unwrap();
        let ranking = rank(&statements(15, 100, 2), Some((&statements(5, 100, 1), taken_at)), &names);
        let one = &ranking.statements[0];
        assert_eq!((one.calls, one.total_us, one.mean_us, one.total_percent), (10, 100, 10, Some(100.0)));
        assert_eq!((one.cache_hit_percent, one.name.as_deref()), (Some(75.0), Some("payments/find_t")));
        assert_eq!((ranking.since, ranking.was_reset, ranking.dropped), (taken_at, false, 1));
        assert!(rank(&statements(5, 100, 1), Some((&statements(5, 100, 1), taken_at)), &names).statements.is_empty());
    }

    #[test]
    fn a_reset_and_a_dropped_statement_are_noticed() {
        let (names, taken_at) = (Names::default(), Timestamp::from_second(200).unwrap());
        let ranking = rank(&statements(15, 150, 0), Some((&statements(5, 100, 3), taken_at)), &names);
        assert!(ranking.was_reset && ranking.since == Timestamp::from_second(150).unwrap());
        assert_eq!((ranking.statements[0].calls, ranking.dropped), (15, 0));
        // Dropped and begun anew within the window.
        let ranking = rank(&statements(3, 100, 4), Some((&statements(5, 100, 3), taken_at)), &names);
        assert_eq!((ranking.statements[0].calls, ranking.dropped), (3, 1));
    }
}
