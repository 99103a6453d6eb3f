//! What the commands of the archive print.

use std::path::Path;

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use estore_ops::pitr::{ArchiveStatus, Base, Window};
use jiff::Timestamp;
use serde_json::json;

use crate::commands::quantity::{age, size};

pub(super) fn set_up(repository: &Path, passphrase: &Path, status: &ArchiveStatus, as_json: bool) {
    if as_json {
        let shown = json!({
            "repository": repository, "passphrase_file": passphrase, "restart_needed": !status.is_on, "archiving": status,
        });
        return println!("{shown}");
    }
    println!("Archive     {}, encrypted", repository.display());
    println!("Passphrase  in {}: nothing is brought back without it, so keep a copy elsewhere", passphrase.display());
    if status.is_on {
        println!("Archiving   works; what is written is sent every {} s at the latest", status.timeout_seconds);
        println!("Next        estore backup pitr info: what can be brought back");
    } else {
        println!("Archiving   begins with the next start: RESTART estore, then run");
        println!("            estore backup pitr check && estore backup pitr create");
    }
}

pub(super) fn archiving(status: &ArchiveStatus, as_json: bool) {
    if as_json {
        return println!("{}", json!(status));
    }
    let now = Timestamp::now();
    let ago = |at: Option<Timestamp>| {
        at.map_or("never".to_owned(), |at| format!("{} ago", age(now.as_second() - at.as_second())))
    };
    let named = |segment: &Option<String>| segment.clone().map_or(String::new(), |segment| format!(" ({segment})"));
    let state = match (status.is_on, status.is_failing()) {
        (false, _) => "off",
        (true, true) => "FAILS",
        (true, false) => "works",
    };
    println!("Archiving     {state}; each segment is sent after {} s at the latest", status.timeout_seconds);
    println!("Last sent     {}{}", ago(status.last_archived_at), named(&status.last_archived));
    println!("Last failure  {}{}", ago(status.last_failed_at), named(&status.last_failed));
    println!("Waiting       {} segments, the oldest for {}", status.waiting, age(status.lag_seconds));
    println!("Log on disk   {}", size(u64::try_from(status.wal_bytes).unwrap_or_default()));
}

pub(super) fn base(base: &Base, as_json: bool) {
    if as_json {
        return println!("{}", json!(base));
    }
    let (bytes, stored) = (size(base.bytes), size(base.stored_bytes));
    println!("Base backup {} ({}): {bytes}, {stored} stored", base.label, base.kind);
    if base.damaged {
        println!("PAGES OF IT ARE DAMAGED, on the server's disk: it is not used. Prove a dump: estore backup verify");
    }
}

pub(super) fn window(window: &Window, as_json: bool) {
    if as_json {
        let shown = json!({
            "begins_at": window.begins_at(), "ends_at": window.ends_at(), "reach": window.reach, "bases": window.bases,
            "marks": window.marks,
        });
        return println!("{shown}");
    }
    let now = Timestamp::now();
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(["base backup", "kind", "whole at", "age", "size", "stored", ""]);
    for base in &window.bases {
        let (bytes, stored) = (size(base.bytes), size(base.stored_bytes));
        let old = age(now.as_second() - base.whole_at.as_second());
        let fault = if base.damaged { "PAGES DAMAGED: not used" } else { "" };
        let (kind, whole_at) = (base.kind.to_string(), base.whole_at.to_string());
        table.add_row([base.label.clone(), kind, whole_at, old, bytes, stored, fault.to_owned()]);
    }
    println!("{table}");
    for mark in &window.marks {
        println!("Mark {}: {} ({})", mark.name, mark.at, mark.lsn);
    }
    println!("{}.", window.shown());
    println!("What is committed after that and not sent yet would be lost with the server: estore backup pitr check");
}
