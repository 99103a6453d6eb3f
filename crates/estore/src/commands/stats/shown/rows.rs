//! What is kept: tables, indexes, unused room, numbers left.

use estore_ops::monitor::report::Report;

use super::work::last;
use super::{each, percent, since};
use crate::commands::quantity::{number, size};
use crate::commands::stats::tables::Part;

pub(super) fn tables(report: &Report) -> Part {
    let head = [
        "database", "table", "#all", "#rows", "#TOAST", "#indexes", "#alive", "#dead", "#dead %", "vacuumed",
        "analyzed",
    ];
    let mut part = Part::new("Tables, the largest first", &head, "There is none.");
    let seen = each(report, &mut part, |database| database.tables.as_ref());
    let mut all: Vec<_> =
        seen.iter().flat_map(|(database, tables)| tables.iter().map(move |table| (database, table))).collect();
    all.sort_by_key(|(_, table)| std::cmp::Reverse(table.total_bytes));
    let mut locked = false;
    for (database, table) in all {
        locked |= table.is_locked;
        part.row([
            (*database).to_owned(),
            format!("{}{}", table.name, if table.is_locked { " *" } else { "" }),
            bytes(table.total_bytes),
            bytes(table.heap_bytes),
            bytes(table.toast_bytes),
            bytes(table.index_bytes),
            number(table.rows_alive),
            number(table.rows_dead),
            percent(Some(table.dead_percent)),
            last(report, table.vacuumed_at),
            last(report, table.analyzed_at),
        ]);
    }
    if locked {
        part.note("* somebody holds it exclusively: sizes as of its last vacuum or analyze");
    }
    part
}

pub(super) fn indexes(report: &Report) -> Part {
    let head = ["database", "index", "table", "#size", "#scans", "#entries a scan", "kind"];
    let mut part = Part::new("Indexes, the largest first", &head, "There is none.");
    let seen = each(report, &mut part, |database| database.indexes.as_ref());
    let mut all: Vec<_> =
        seen.iter().flat_map(|(database, indexes)| indexes.iter().map(move |index| (database, index))).collect();
    all.sort_by_key(|(_, index)| std::cmp::Reverse(index.bytes));
    for (database, index) in all {
        let kind = match index {
            one if one.is_primary => "primary key",
            one if one.is_exclusion => "exclusion",
            one if one.is_unique => "unique",
            _ => "",
        };
        part.row([
            (*database).to_owned(),
            index.name.clone(),
            index.table_name.clone(),
            bytes(index.bytes),
            number(index.scans),
            if index.scans > 0 { number(index.entries_read / index.scans) } else { String::new() },
            kind.to_owned(),
        ]);
    }
    part
}

pub(super) fn advice(report: &Report) -> Part {
    let mut part = Part::new("Advice on indexes", &["database", "table", "index", "why", "evidence", "mend"], "None.");
    for (database, advised) in each(report, &mut part, |database| database.advice.as_ref()) {
        for one in &advised.advice {
            part.row([
                database.to_owned(),
                one.table.clone(),
                one.index.clone().unwrap_or_default(),
                one.why.clone(),
                one.since.map_or("definitions".to_owned(), |then| format!("{} of use", since(then, report.taken_at))),
                one.mend.clone(),
            ]);
        }
        if advised.unread_too_young > 0 {
            part.note(format!(
                "{database}: {} indexes have not been read by, but were watched for less than {} days: too early to say \
                 (--evidence-days)",
                advised.unread_too_young, advised.evidence_days_min
            ));
        }
    }
    part
}

pub(super) fn bloat(report: &Report) -> Part {
    let head = ["database", "name", "of", "#size", "#unused", "#unused %"];
    let mut part = Part::new("Unused room, as estimated", &head, "None.");
    let mut all = Vec::new();
    for (database, room) in each(report, &mut part, |database| database.present.bloat.as_ref()) {
        all.extend(room.estimated.iter().filter(|one| one.wasted_bytes > Some(0)).map(|one| (database, one)));
        if room.not_estimated > 0 {
            part.note(format!(
                "{database}: {} not estimated: this role may not see how wide their rows are",
                room.not_estimated
            ));
        }
    }
    all.sort_by_key(|(_, one)| std::cmp::Reverse(one.wasted_bytes));
    for (database, one) in all {
        part.row([
            database.to_owned(),
            one.name.clone(),
            if one.is_index { format!("index of {}", one.table_name) } else { "table".to_owned() },
            bytes(one.bytes),
            bytes(one.wasted_bytes.unwrap_or(0)),
            percent(one.wasted_percent),
        ]);
    }
    part
}

pub(super) fn free_space(report: &Report) -> Part {
    let head = ["database", "table", "#size", "#dead rows", "#dead", "#free", "#unused %"];
    let mut part = Part::new("Unused room in tables, as pgstattuple measures it", &head, "None.");
    let mut all = Vec::new();
    for (database, room) in each(report, &mut part, |database| database.present.bloat.as_ref()) {
        match &room.measured {
            estore_ops::monitor::Seen::Yes(measured) => all.extend(measured.iter().map(|one| (database, one))),
            estore_ops::monitor::Seen::No(unseen) => part.unseen(database, unseen),
        }
    }
    all.retain(|(_, one)| one.dead_bytes + one.free_bytes > 0);
    all.sort_by_key(|(_, one)| std::cmp::Reverse(one.dead_bytes + one.free_bytes));
    for (database, one) in all {
        part.row([
            database.to_owned(),
            one.name.clone(),
            bytes(one.bytes),
            number(one.rows_dead),
            bytes(one.dead_bytes),
            bytes(one.free_bytes),
            percent(Some(one.wasted_percent)),
        ]);
    }
    part
}

pub(super) fn sequences(report: &Report) -> Part {
    let head = ["database", "sequence", "column", "type", "#last", "#largest", "#used %"];
    let mut part = Part::new("Numbers left, the fullest first", &head, "There is no sequence.");
    let seen = each(report, &mut part, |database| database.present.sequences.as_ref());
    let mut all: Vec<_> =
        seen.iter().flat_map(|(database, list)| list.iter().map(move |one| (database, one))).collect();
    all.sort_by(|(_, one), (_, other)| other.used_percent.total_cmp(&one.used_percent));
    for (database, one) in all {
        let column = one.table_name.as_ref().zip(one.column_name.as_ref());
        part.row([
            (*database).to_owned(),
            one.name.clone(),
            column.map_or(String::new(), |(table, column)| format!("{table}.{column}")),
            one.r#type.clone(),
            match one.last {
                Some(last) => number(last),
                None if one.is_visible => "none".to_owned(),
                None => "hidden".to_owned(),
            },
            number(one.largest),
            if one.is_visible { percent(Some(one.used_percent)) } else { String::new() },
        ]);
    }
    part
}

fn bytes(bytes: i64) -> String {
    size(u64::try_from(bytes).unwrap_or(0))
}
