//! What was done: statements, the log, cache and transactions.

use estore_ops::monitor::Seen;
use estore_ops::monitor::log::LogReport;
use estore_ops::monitor::report::Report;
use estore_ops::monitor::statement::{RankedStatement, Ranking};

use super::{ago, each, percent};
use crate::commands::quantity::{number, size, time};
use crate::commands::stats::tables::Part;

/// Characters of a statement in a line.
const STATEMENT_CHARACTERS: usize = 56;

pub(super) fn statements(report: &Report) -> Part {
    let head = [
        "database",
        "statement",
        "#calls",
        "#mean",
        "#longest ever",
        "#in all",
        "#share %",
        "#rows",
        "#cache %",
        "#temp",
    ];
    let mut part = Part::new("Statements, the dearest first", &head, "Nothing ran.");
    let mut all: Vec<(&str, &RankedStatement)> = Vec::new();
    for (database, ranking) in each(report, &mut part, |database| database.statements.as_ref()) {
        remark(database, ranking, &mut part);
        all.extend(ranking.statements.iter().map(|one| (database, one)));
    }
    all.sort_by_key(|(_, one)| std::cmp::Reverse(one.total_us));
    for (database, one) in all {
        part.row([
            database.to_owned(),
            named(one.name.as_deref(), &one.statement),
            number(one.calls),
            time(one.mean_us),
            time(one.max_us),
            time(one.total_us),
            percent(one.total_percent),
            number(one.rows),
            percent(one.cache_hit_percent),
            if one.temp_blocks > 0 { number(one.temp_blocks) } else { String::new() },
        ]);
    }
    part
}

fn remark(database: &str, ranking: &Ranking, part: &mut Part) {
    let since = ranking.since.strftime("%Y-%m-%d %H:%M:%S UTC");
    let total = time(ranking.total_us);
    part.note(format!("{database}: {} statements took {total} since {since}", ranking.statements.len()));
    if ranking.was_reset {
        part.note(format!("{database}: the statistics were reset within the window, which begins there"));
    }
    if ranking.dropped > 0 {
        part.note(format!(
            "{database}: room for statements ran out {} times: rare ones are missing. mend: pg_stat_statements.max",
            ranking.dropped
        ));
    }
}

fn named(name: Option<&str>, statement: &str) -> String {
    let text = name.unwrap_or(statement);
    let mut cut: String = text.chars().take(STATEMENT_CHARACTERS).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}

pub(super) fn log(log: &Seen<LogReport>) -> Vec<Part> {
    let head = ["database", "statement", "#times", "#longest", "#in all", "last"];
    let mut slow =
        Part::new("Slow statements, by the server's log", &head, "None took longer than log_min_duration_statement.");
    let log = match log {
        Seen::Yes(log) => log,
        Seen::No(unseen) => {
            slow.unseen("log", unseen);
            return vec![slow];
        }
    };
    let micros = |micros: u64| time(i64::try_from(micros).unwrap_or(i64::MAX));
    for one in &log.slow {
        slow.row([
            one.database.clone().unwrap_or_default(),
            named(one.name.as_deref(), &one.statement),
            one.count.to_string(),
            micros(one.max_us),
            micros(one.total_us),
            one.last_at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        ]);
    }
    slow.note(format!(
        "{}: {} in {} files since {}",
        log.folder,
        size(log.bytes),
        log.files,
        log.from.strftime("%Y-%m-%d %H:%M:%S UTC")
    ));
    slow.note(format!(
        "{} waits for locks of more than a second, {} deadlocks, {} large temporary files ({}), {} died processes",
        log.lock_waits,
        log.deadlocks,
        log.temp_files,
        size(log.temp_bytes),
        log.crashes
    ));
    if log.unreadable_lines > 0 {
        slow.note(format!(
            "{} lines are not written as we read them. mend: log_timezone = 'UTC' and log_destination = 'jsonlog', or \
             log_line_prefix = '%m [%p] %e %q%u@%d/%a '",
            log.unreadable_lines
        ));
    }
    vec![slow, errors(log), logins(log), plans(log)]
}

fn errors(log: &LogReport) -> Part {
    let head = ["database", "severity", "state", "#times", "last", "message"];
    let mut part = Part::new("Errors, by the server's log", &head, "None.");
    for one in &log.errors {
        part.row([
            one.database.clone().unwrap_or_default(),
            one.severity.clone(),
            one.state.clone(),
            one.count.to_string(),
            one.last_at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            named(None, &one.message),
        ]);
    }
    part
}

fn logins(log: &LogReport) -> Part {
    let mut part = Part::new("Log-ins that were refused", &["role", "database", "#times", "last"], "None.");
    for one in &log.failed_logins {
        let last = one.last_at.strftime("%Y-%m-%d %H:%M:%S").to_string();
        part.row([one.role.clone(), one.database.clone(), one.count.to_string(), last]);
    }
    part
}

fn plans(log: &LogReport) -> Part {
    let mut part =
        Part::new("Plans that auto_explain wrote", &["plan"], "None; it is silent unless custom.conf says otherwise.");
    for one in &log.plans {
        let took = time(i64::try_from(one.took_us).unwrap_or(i64::MAX));
        part.row([format!("{took}  {}\n{}", named(one.name.as_deref(), &one.statement), one.plan.join("\n"))]);
    }
    part
}

pub(super) fn activity(report: &Report) -> Part {
    let head = [
        "database",
        "#size",
        "#cache %",
        "#commits",
        "#rollbacks",
        "#rows read",
        "#written",
        "#temp files",
        "#deadlocks",
        "#sessions",
        "#abandoned",
        "#fatal",
        "#killed",
    ];
    let mut part = Part::new("Cache, transactions, sessions", &head, "");
    for database in &report.databases {
        let Some(activity) = &database.activity else { continue };
        let counters = &activity.counters;
        part.row([
            database.service.to_owned(),
            size(u64::try_from(counters.bytes).unwrap_or(0)),
            percent(activity.cache_hit_percent),
            number(counters.commits),
            number(counters.rollbacks),
            number(counters.rows_returned),
            number(counters.rows_inserted + counters.rows_updated + counters.rows_deleted),
            format!("{} ({})", counters.temp_files, size(u64::try_from(counters.temp_bytes).unwrap_or(0))),
            number(counters.deadlocks),
            number(counters.sessions),
            number(counters.sessions_abandoned),
            number(counters.sessions_fatal),
            number(counters.sessions_killed),
        ]);
        if activity.was_reset {
            let since = activity.since.strftime("%Y-%m-%d %H:%M:%S UTC");
            part.note(format!(
                "{}: the statistics were reset within the window, which begins at {since}",
                database.service
            ));
        }
    }
    part
}

pub(super) fn table_reads(report: &Report) -> Part {
    let head = ["database", "table", "#blocks not in cache", "#cache %", "#read through", "#rows each", "#by index"];
    let mut part = Part::new("Tables by what was not in the cache", &head, "None was read.");
    let reads = report.databases.iter().flat_map(|database| {
        let tables = database.table_reads.iter().flatten();
        tables.map(move |table| (database.service, table))
    });
    let mut reads: Vec<_> = reads.filter(|(_, table)| table.blocks_read + table.blocks_hit > 0).collect();
    reads.sort_by_key(|(_, table)| std::cmp::Reverse((table.blocks_read, table.blocks_hit)));
    for (database, table) in reads {
        part.row([
            database.to_owned(),
            table.name.clone(),
            number(table.blocks_read),
            percent(table.cache_hit_percent),
            number(table.scans_of_all),
            if table.scans_of_all > 0 { number(table.rows_of_scans / table.scans_of_all) } else { String::new() },
            number(table.scans_by_index),
        ]);
    }
    part
}

/// When something was last done.
pub(super) fn last(report: &Report, then: Option<jiff::Timestamp>) -> String {
    ago(then, report.taken_at)
}
