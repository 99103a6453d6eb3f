//! What `estore db stats` prints for people.

mod moment;
mod rows;
mod work;

use std::collections::BTreeSet;

use estore_ops::monitor::Seen;
use estore_ops::monitor::concern::Concern;
use estore_ops::monitor::log::LogReport;
use estore_ops::monitor::reading::Section;
use estore_ops::monitor::report::{DatabaseReport, Report};
use jiff::Timestamp;

use super::tables::{Part, print_concerns};
use crate::commands::quantity::{age, number};

/// Prints it all, `top` lines of each table.
pub(super) fn report(
    report: &Report,
    log: Option<&Seen<LogReport>>,
    concerns: &[Concern],
    sections: &BTreeSet<Section>,
    top: usize,
) {
    servers(report);
    let rows: Vec<_> = concerns.iter().map(|one| [one.database.clone(), one.what.clone(), one.mend.clone()]).collect();
    print_concerns(&rows);
    for section in sections {
        let parts = match section {
            Section::Statements => vec![work::statements(report)],
            Section::Log => log.map(work::log).unwrap_or_default(),
            Section::Cache => vec![work::activity(report), work::table_reads(report)],
            Section::Tables => vec![rows::tables(report)],
            Section::Indexes => vec![rows::indexes(report), rows::advice(report)],
            Section::Bloat => vec![rows::bloat(report), rows::free_space(report)],
            Section::Sequences => vec![rows::sequences(report)],
            Section::Wraparound => vec![moment::wraparound(report), moment::oldest_tables(report)],
            Section::Connections => vec![moment::clients(report), moment::sessions(report)],
            Section::Locks => vec![moment::locks(report)],
            Section::Replication => moment::replication(report),
        };
        for part in parts {
            part.print(top);
        }
    }
}

fn servers(report: &Report) {
    let now = report.taken_at;
    for one in &report.servers {
        let server = &one.server;
        let standby = if server.is_standby { ", a standby" } else { "" };
        let version = server.version.split(' ').next().unwrap_or_default();
        println!(
            "PostgreSQL {version}{standby}, up for {}, looked at as {}: {}",
            since(server.started_at, now),
            server.role,
            one.databases.join(", ")
        );
        println!(
            "{} of {} connections ({} %); counted since {}",
            number(server.connections),
            number(server.connections_max),
            server.connections_percent,
            server.counted_since.strftime("%Y-%m-%d %H:%M:%S UTC")
        );
        if !server.sees_all {
            println!(
                "{} sees its own sessions and statements only. mend: databases.<name>.monitor_url as estore_monitor",
                server.role
            );
        }
    }
    match report.window_from {
        Some(from) => println!("Window: the last {}; what is counted is of it\n", since(from, now)),
        None => println!("Window: since the statistics were reset; --since 1h or --window 10s tell of a shorter one\n"),
    }
}

/// Rows of all databases, and what was not seen of some.
fn each<'a, T: 'a>(
    report: &'a Report,
    part: &mut Part,
    of: impl Fn(&'a DatabaseReport) -> Option<&'a Seen<T>>,
) -> Vec<(&'a str, &'a T)> {
    let mut seen = Vec::new();
    for database in &report.databases {
        let name = database.service;
        match of(database) {
            Some(Seen::Yes(found)) => seen.push((name, found)),
            Some(Seen::No(unseen)) => part.unseen(name, unseen),
            None => {}
        }
    }
    seen
}

fn since(then: Timestamp, now: Timestamp) -> String {
    age(now.as_second() - then.as_second())
}

fn ago(then: Option<Timestamp>, now: Timestamp) -> String {
    then.map_or("never".to_owned(), |then| format!("{} ago", since(then, now)))
}

fn percent(percent: Option<f64>) -> String {
    percent.map_or("-".to_owned(), |percent| format!("{percent:.2}"))
}
