//! What is at this moment: clients, locks, transaction numbers, standbys.

use estore_ops::monitor::Seen;
use estore_ops::monitor::report::Report;

use super::work::last;
use super::{each, percent};
use crate::commands::quantity::{number, size, time};
use crate::commands::stats::tables::Part;

pub(super) fn wraparound(report: &Report) -> Part {
    let head = ["database", "#transactions", "#of 2³¹ %", "#multixacts", "#of 2³¹ %", "#freezes at"];
    let mut part = Part::new("Transaction numbers in use", &head, "");
    for server in &report.servers {
        match &server.wholes.wraparound {
            Some(Seen::Yes(list)) => {
                for one in list {
                    part.row([
                        one.database.clone(),
                        number(one.transactions),
                        percent(Some(one.transactions_percent)),
                        number(one.multixacts),
                        percent(Some(one.multixacts_percent)),
                        number(one.transactions_max),
                    ]);
                }
            }
            Some(Seen::No(unseen)) => part.unseen("server", unseen),
            None => {}
        }
    }
    part
}

pub(super) fn oldest_tables(report: &Report) -> Part {
    let head = ["database", "table", "#transactions", "#multixacts"];
    let mut part = Part::new("Tables with the oldest transaction numbers", &head, "");
    let seen = each(report, &mut part, |database| database.present.oldest_tables.as_ref());
    let mut all: Vec<_> =
        seen.iter().flat_map(|(database, list)| list.iter().map(move |one| (database, one))).collect();
    all.sort_by_key(|(_, one)| std::cmp::Reverse(one.transactions.max(one.multixacts)));
    for (database, one) in all {
        part.row([(*database).to_owned(), one.name.clone(), number(one.transactions), number(one.multixacts)]);
    }
    part
}

pub(super) fn clients(report: &Report) -> Part {
    let head = [
        "database",
        "role",
        "state",
        "#connections",
        "#wait for locks",
        "#oldest session",
        "#transaction",
        "#in this state",
    ];
    let mut part = Part::new("Clients", &head, "Nobody but us.");
    for server in &report.servers {
        match &server.wholes.clients {
            Some(Seen::Yes(list)) => {
                for one in list {
                    part.row([
                        one.database.clone(),
                        one.role.clone(),
                        one.state.clone(),
                        number(one.connections),
                        number(one.waiting_for_locks),
                        millis(one.session_ms_max),
                        millis(one.transaction_ms_max),
                        millis(one.state_ms_max),
                    ]);
                }
            }
            Some(Seen::No(unseen)) => part.unseen("server", unseen),
            None => {}
        }
    }
    part
}

pub(super) fn sessions(report: &Report) -> Part {
    let head = ["database", "#process", "role", "state", "#session", "#transaction", "#in this state", "statement"];
    let mut part = Part::new("The oldest transactions, then sessions", &head, "Nobody but us.");
    let seen = each(report, &mut part, |database| database.present.sessions.as_ref());
    let mut all: Vec<_> =
        seen.iter().flat_map(|(database, list)| list.iter().map(move |one| (database, one))).collect();
    all.sort_by_key(|(_, one)| std::cmp::Reverse((one.transaction_ms, one.session_ms)));
    for (database, one) in all {
        part.row([
            (*database).to_owned(),
            one.pid.to_string(),
            one.role.clone(),
            one.state.clone(),
            millis(one.session_ms),
            millis(one.transaction_ms),
            millis(one.state_ms),
            cut(one.statement.as_deref()),
        ]);
    }
    part
}

pub(super) fn locks(report: &Report) -> Part {
    let head =
        ["database", "#waits", "#process", "role", "for", "its statement", "#holder", "role", "state", "its statement"];
    let mut part = Part::new("Who waits for whom", &head, "Nobody waits for a lock.");
    let seen = each(report, &mut part, |database| database.present.locks.as_ref());
    let mut all: Vec<_> =
        seen.iter().flat_map(|(database, list)| list.iter().map(move |one| (database, one))).collect();
    all.sort_by_key(|(_, one)| std::cmp::Reverse(one.waited_ms));
    for (database, one) in all {
        let what = one.table_name.clone().unwrap_or_else(|| one.lock.clone());
        let state = one.blocker_state.clone().unwrap_or_default();
        part.row([
            (*database).to_owned(),
            millis(Some(one.waited_ms)),
            one.waiter.to_string(),
            one.waiter_role.clone(),
            format!("{what} ({})", one.mode),
            cut(one.waiter_statement.as_deref()),
            one.blocker.map_or(String::new(), |pid| pid.to_string()),
            one.blocker_role.clone().unwrap_or_default(),
            if one.blocker_waits == Some(true) { format!("{state}, waits too") } else { state },
            cut(one.blocker_statement.as_deref()),
        ]);
    }
    part
}

pub(super) fn replication(report: &Report) -> Vec<Part> {
    let mut standbys =
        Part::new("Standbys", &["standby", "address", "state", "sync", "#behind", "#bytes"], "There is none.");
    let mut slots =
        Part::new("Replication slots", &["slot", "kind", "database", "read", "log", "#kept"], "There is none.");
    let head = ["mode", "#archived", "last", "#failed", "last failed", "#waiting", "state"];
    let mut archiving = Part::new("Archiving of the write-ahead log", &head, "");
    let bytes = |bytes: Option<i64>| bytes.map_or("-".to_owned(), |bytes| size(u64::try_from(bytes).unwrap_or(0)));
    for server in &report.servers {
        let seen = match &server.wholes.replication {
            Some(Seen::Yes(seen)) => seen,
            Some(Seen::No(unseen)) => {
                archiving.unseen("server", unseen);
                continue;
            }
            None => continue,
        };
        for one in &seen.standbys {
            let (state, sync) = (one.state.clone().unwrap_or_default(), one.sync_state.clone().unwrap_or_default());
            let behind = millis(Some(one.behind_ms));
            standbys.row([one.standby.clone(), one.address.clone(), state, sync, behind, bytes(one.behind_bytes)]);
        }
        for one in &seen.slots {
            let read = if one.active { "yes" } else { "NO" }.to_owned();
            let log = one.wal_status.clone().unwrap_or_default();
            slots.row([one.name.clone(), one.kind.clone(), one.database.clone(), read, log, bytes(one.kept_bytes)]);
        }
        let one = &seen.archiving;
        archiving.row([
            one.mode.clone(),
            number(one.archived),
            last(report, one.archived_at),
            number(one.failed),
            last(report, one.failed_at),
            one.waiting.map_or("-".to_owned(), number),
            if one.is_failing { "FAILS" } else { "" }.to_owned(),
        ]);
        if let Some(behind) = one.standby_behind_ms {
            archiving.note(format!("this standby is {} behind its primary", millis(Some(behind))));
        }
    }
    vec![standbys, slots, archiving]
}

fn millis(millis: Option<i64>) -> String {
    millis.map_or("-".to_owned(), |millis| time(millis.saturating_mul(1_000)))
}

/// Characters of a statement in a line.
const STATEMENT_CHARACTERS: usize = 48;

fn cut(statement: Option<&str>) -> String {
    let text = statement.unwrap_or_default();
    let mut cut: String = text.chars().take(STATEMENT_CHARACTERS).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}
