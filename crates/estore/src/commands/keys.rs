//! `estore keys …`: the keys of sealed fields.

use std::sync::Arc;
use std::time::Duration;

use estore_kit::field::{Fields, KeyFile, KeyState, Ring, RingKey, SealedColumn};
use estore_ops::connection::Connection;
use estore_ops::fields::{self as ops, Found, Work};
use estore_ops::roles::Service;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::migrate;
use crate::cli::Keys;
use crate::config::Config;
use crate::databases::Databases;
use crate::fields::{self, COLUMNS};
use crate::{Outcome, stop};

/// Whatever stops a command.
type KeysResult<T> = Result<T, Box<dyn std::error::Error>>;

/// Runs a `keys` command. Ctrl-C cuts it; the next run goes on.
pub async fn run(config: Config, command: Keys) -> Outcome {
    let stop = stop::on_signal()?;
    let services: Vec<Service> = COLUMNS.iter().map(|(service, _)| *service).collect();
    let (databases, cluster) = migrate::open(&config, &services).await?;
    let outcome = tokio::select! {
        () = stop.cancelled() => Err("stopped; what was done stands, and the next run goes on".into()),
        outcome = Box::pin(work(&config, &databases, command)) => outcome,
    };
    migrate::close(cluster).await?;
    outcome
}

async fn work(config: &Config, databases: &Databases, command: Keys) -> Outcome {
    let keys = if matches!(command, Keys::List { .. }) { fields::look(config)? } else { fields::open(config)? };
    match command {
        Keys::List { count, shown } => {
            let found = if count { Some(look(databases, &keys, shown.json).await?) } else { None };
            tell(&keys, found.as_ref(), None, shown.json)?;
            Ok(found.is_none_or(|found| is_well(&found)))
        }
        Keys::Rotate { shown } => rotate(config, databases, &keys, shown.json).await,
        Keys::Seal { shown } => {
            let found = go_through(databases, &keys, Work::Seal, shown.json).await?;
            tell(&keys, Some(&found), Some("sealed"), shown.json)?;
            Ok(is_well(&found))
        }
    }
}

async fn rotate(config: &Config, databases: &Databases, keys: &Fields, as_json: bool) -> Outcome {
    let file = fields::file(config).and_then(|path| KeyFile::existing(&path));
    let opening = |keys: &Fields| -> KeysResult<Vec<String>> {
        let opens = keys.ring().all()?.into_iter().filter(|(_, state)| *state == KeyState::Opens);
        Ok(opens.map(|(key, _)| key.id.clone()).collect())
    };
    // A key that only opens is left of a run that was cut, or of one who put a new key there by hand.
    match &file {
        Some(file) if opening(keys)?.is_empty() => {
            let made = file.add()?;
            say(
                as_json,
                &format!("key {made} is made and seals from now on; keep a copy of {}", keys.ring().source_name()),
            );
        }
        Some(_) => say(as_json, "going on with the rotation that was begun"),
        None => say(
            as_json,
            "the keys come with the environment: its last key is the new one, and should be that of all processes",
        ),
    }
    // No process seals under the old key after this.
    tokio::time::sleep(Ring::known_everywhere_after()).await;
    let found = go_through(databases, keys, Work::Rewrap, as_json).await?;
    let unused: Vec<String> = opening(keys)?.into_iter().filter(|key| !found.fields.contains_key(key)).collect();
    if let Some(file) = file.filter(|_| found.left == 0 && found.unreadable == 0) {
        file.retire(&unused)?;
    }
    tell(keys, Some(&found), Some("rewrapped"), as_json)?;
    Ok(is_well(&found))
}

fn is_well(found: &Found) -> bool {
    found.left == 0 && found.unreadable == 0 && found.open == 0
}

fn say(is_quiet: bool, text: &str) {
    if !is_quiet {
        println!("{text}");
    }
}

/// A connection to each database with sealed fields, its columns, and the rows that there are about.
async fn connected(databases: &Databases) -> KeysResult<(Vec<(Connection, &'static [SealedColumn])>, u64)> {
    let (mut connections, mut rows) = (Vec::new(), 0);
    for &(service, columns) in COLUMNS {
        let connection = Connection::open(&databases.logins(service)?.writer).await?;
        for column in columns {
            rows += ops::rows_about(&connection, column).await?;
        }
        connections.push((connection, columns));
    }
    Ok((connections, rows))
}

async fn go_through(databases: &Databases, keys: &Fields, work: Work, is_quiet: bool) -> KeysResult<Found> {
    let (connections, rows) = connected(databases).await?;
    let bar = bar(rows, is_quiet);
    let mut found = Found::default();
    for (connection, columns) in &connections {
        if !ops::take_turn(connection).await? {
            return Err("another `estore keys` is at work on the databases; wait for it".into());
        }
        for column in *columns {
            bar.set_message(format!("{}.{}", column.table, column.column));
            found.add(ops::work_through(connection, column, (keys, work), &|rows| bar.inc(rows)).await?);
        }
    }
    bar.finish_and_clear();
    Ok(found)
}

async fn look(databases: &Databases, keys: &Fields, is_quiet: bool) -> KeysResult<Found> {
    let (connections, rows) = connected(databases).await?;
    let bar = bar(rows, is_quiet);
    let mut found = Found::default();
    for (connection, columns) in &connections {
        for column in *columns {
            bar.set_message(format!("{}.{}", column.table, column.column));
            found.add(ops::look_through(&**connection, column, keys, &|rows| bar.inc(rows)).await?);
        }
    }
    bar.finish_and_clear();
    Ok(found)
}

fn bar(rows: u64, is_quiet: bool) -> ProgressBar {
    if is_quiet {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos} of about {len} rows, {eta}");
    let bar = ProgressBar::new(rows).with_style(style.unwrap_or_else(|_malformed| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// The keys, what was found of them, and what was done.
fn tell(keys: &Fields, found: Option<&Found>, done: Option<&str>, as_json: bool) -> KeysResult<()> {
    let ring = keys.ring().all()?;
    let counted = |id: &str| found.map(|found| found.fields.get(id).copied().unwrap_or(0));
    if as_json {
        let key = |(key, state): &(Arc<RingKey>, KeyState)| json!({ "id": key.id, "made_at": key.made.to_string(), "state": state.word(), "fields": counted(&key.id) });
        let mut told = json!({ "from": keys.ring().source_name(), "keys": ring.iter().map(key).collect::<Vec<_>>() });
        if let Some(found) = found {
            told["rows"] = json!({ "looked_at": found.rows, "changed": found.changed, "left": found.left,
                "unreadable": found.unreadable, "in_plain": found.open, "named": found.named });
        }
        println!("{told}");
        return Ok(());
    }
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["key", "made", "does", "fields"]);
    for (key, state) in &ring {
        let count = counted(&key.id).map_or_else(|| "not counted".to_owned(), |count| count.to_string());
        table.add_row([key.id.clone(), key.made.to_string(), state.word().to_owned(), count]);
    }
    println!("{table}");
    let Some(found) = found else { return Ok(()) };
    if let Some(done) = done {
        println!("{} rows {done}, {} looked at.", found.changed, found.rows);
    }
    for (count, what) in [
        (found.left, "rows were held by others all the time: run it again"),
        (found.unreadable, "rows cannot be read"),
        (found.open, "rows have something personal in plain: run `estore keys seal`"),
    ] {
        if count > 0 {
            println!("{count} {what}.");
        }
    }
    found.named.iter().for_each(|row| println!("  {row}"));
    Ok(())
}
