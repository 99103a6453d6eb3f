//! What the backup commands print.

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use estore_ops::backup::{Created, Level, Listed, Report, Restored, SignerKey, Target};
use jiff::Timestamp;
use serde_json::json;

use crate::commands::quantity::{age, size};

pub(super) fn created(created: &Created, target: &Target, signer: &SignerKey, as_json: bool) {
    let manifest = &created.manifest;
    let millis = created.elapsed.as_millis();
    if as_json {
        let shown = json!({
            "id": manifest.id, "target": target.url(), "taken_at": manifest.taken_at, "fence": manifest.fence,
            "bytes": manifest.bytes(), "rows": manifest.rows(), "millis": u64::try_from(millis).unwrap_or(u64::MAX),
            "recipients": manifest.recipients, "signer": signer.to_string(), "files": manifest.files,
        });
        return println!("{shown}");
    }
    println!("Backup    {}", manifest.id);
    println!("Moment    {}: {}", manifest.taken_at, manifest.fence.shown());
    println!("Holds     {} rows of {} databases", manifest.rows(), manifest.databases.len());
    println!(
        "Stored    {} in {} files, {} at {}",
        size(manifest.bytes()),
        manifest.files.len(),
        seconds(millis),
        target.url()
    );
    if manifest.recipients.is_empty() {
        println!("Readable  by ANYBODY: it is not encrypted, as asked");
    } else {
        println!("Readable  by {}", manifest.recipients.join(", "));
    }
    println!("Signed    by {signer}");
    println!(
        "It counts once it is proven: estore backup verify {} --target {} --identity FILE",
        manifest.id,
        target.url()
    );
}

pub(super) fn list(sets: &[Listed], target: &Target, as_json: bool) {
    let now = Timestamp::now();
    if as_json {
        let shown: Vec<_> = sets.iter().map(|set| as_value(set, now)).collect();
        return println!("{}", json!({ "target": target.url(), "backups": shown }));
    }
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(["backup", "age", "size", "rows", "proven", "restore takes", ""]);
    for set in sets {
        let manifest = set.manifest.as_ref();
        let age = manifest.map_or(String::new(), |manifest| age(now.as_second() - manifest.taken_at.as_second()));
        let proven = set.verdict.as_ref().filter(|_| set.is_backup()).map_or("never".to_owned(), |verdict| {
            let when = age_of(verdict.verified_at, now);
            if verdict.passed { format!("{when} ago") } else { format!("FAILED {when} ago") }
        });
        let restore = set.verdict.as_ref().filter(|_| set.is_verified());
        let restore = restore.map_or(String::new(), |verdict| seconds(u128::from(verdict.restore_millis)));
        let bytes = manifest.map_or(String::new(), |manifest| size(manifest.bytes()));
        let rows = manifest.map_or(String::new(), |manifest| manifest.rows().to_string());
        let fault = set.faults.first().map_or(String::new(), |fault| format!("NO BACKUP: {fault}"));
        table.add_row([set.id.clone(), age, bytes, rows, proven, restore, fault]);
    }
    println!("{table}");
    println!("{} backups in {}.", sets.iter().filter(|set| set.is_backup()).count(), target.url());
}

fn as_value(set: &Listed, now: Timestamp) -> serde_json::Value {
    let manifest = set.manifest.as_ref();
    json!({
        "id": set.id,
        "is_backup": set.is_backup(),
        "faults": set.faults,
        "taken_at": manifest.map(|manifest| manifest.taken_at),
        "age_seconds": manifest.map(|manifest| now.as_second() - manifest.taken_at.as_second()),
        "bytes": manifest.map(estore_ops::backup::Manifest::bytes),
        "rows": manifest.map(estore_ops::backup::Manifest::rows),
        "fence": manifest.map(|manifest| &manifest.fence),
        "verified": set.is_verified(),
        "verified_at": set.verdict.as_ref().map(|verdict| verdict.verified_at),
        "restore_millis": set.verdict.as_ref().map(|verdict| verdict.restore_millis),
        "recovery_point_seconds": set.verdict.as_ref().map(|verdict| verdict.age_seconds),
    })
}

pub(super) fn report(report: &Report, as_json: bool) {
    if as_json {
        return println!("{}", json!(report));
    }
    for Level { name, passed, detail, millis } in &report.levels {
        let mark = match passed {
            Some(true) => "passed",
            Some(false) => "FAILED",
            None => "-     ",
        };
        println!("{mark}  {name:<10} {:>9}  {detail}", seconds(u128::from(*millis)));
    }
    if report.passed {
        let restore = seconds(u128::from(report.restore_millis));
        println!("{} is proven in {}.", report.id, seconds(u128::from(report.total_millis)));
        println!("Recovery time   {restore}, from nothing to databases that answer");
        println!("Recovery point  {} back: what came after the backup would be lost", age(report.age_seconds));
    } else {
        println!("{} is NOT proven.", report.id);
        if !report.recorded {
            println!("Nothing was recorded: the keys at hand may be the wrong ones.");
        }
    }
}

pub(super) fn restored(restored: &Restored, next: &str, as_json: bool) {
    if as_json {
        let shown = json!({
            "id": restored.id, "taken_at": restored.taken_at, "databases": restored.databases, "millis": restored.millis,
        });
        return println!("{shown}");
    }
    println!("Restored  {} of {}", restored.id, restored.taken_at);
    println!("As        {}, in {}", restored.databases.join(", "), seconds(u128::from(restored.millis)));
    println!("Next      {next}");
}

fn age_of(then: Timestamp, now: Timestamp) -> String {
    age(now.as_second() - then.as_second())
}

pub(super) fn seconds(millis: u128) -> String {
    format!("{}.{:02} s", millis / 1000, millis % 1000 / 10)
}
