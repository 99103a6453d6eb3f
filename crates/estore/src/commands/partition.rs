//! `estore db partition orders`.

use std::time::Duration;

use estore_ops::partition::{self as ops, PartitionEvent, PartitionOptions, Standing};
use estore_ops::roles::Service;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::migrate;
use crate::cli::{Partition, PartitionTable};
use crate::config::Config;
use crate::databases::Databases;
use crate::{Outcome, stop};

/// Runs the command. Ctrl-C cuts it; the next run goes on.
pub async fn run(config: Config, command: Partition) -> Outcome {
    let stop = stop::on_signal()?;
    let (databases, cluster) = migrate::open(&config, &[Service::Payments]).await?;
    let outcome = tokio::select! {
        () = stop.cancelled() => Err("stopped; what was reached stands, and the next run goes on".into()),
        outcome = work(&databases, &command) => outcome,
    };
    migrate::close(cluster).await?;
    outcome
}

async fn work(databases: &Databases, command: &Partition) -> Outcome {
    let PartitionTable::Orders = command.table;
    let database = migrate::database(databases, Service::Payments)?;
    let options = PartitionOptions { rows: command.rows, ahead: command.ahead, ..PartitionOptions::default() };
    if command.status {
        tell(&ops::standing(&database).await?, command.json, None);
        return Ok(true);
    }
    if command.dry_run {
        let steps =
            if command.back { ops::preview_back(&database).await? } else { ops::preview(&database, &options).await? };
        if command.json {
            println!("{}", json!({ "steps": steps }));
        } else {
            steps.iter().for_each(|step| println!("{step}{}", if step.starts_with("--") { "" } else { ";" }));
        }
        return Ok(true);
    }
    let mut shown = Shown::new(command.json);
    let progress = &mut |event| shown.show(event);
    let standing = if command.back {
        ops::unpartition(&database, &options, progress).await
    } else {
        ops::partition(&database, &options, progress).await
    };
    shown.bar.finish_and_clear();
    tell(&standing?, command.json, Some(shown.held_max));
    Ok(true)
}

/// What is shown while it goes on, and the longest that orders were held up.
struct Shown {
    bar: ProgressBar,
    is_quiet: bool,
    held_max: Duration,
}

impl Shown {
    fn new(is_quiet: bool) -> Self {
        Self { bar: ProgressBar::hidden(), is_quiet, held_max: Duration::ZERO }
    }

    fn show(&mut self, event: PartitionEvent) {
        match event {
            PartitionEvent::WaitingForRunner => self.say("another runner is at work on the database; waiting for it"),
            PartitionEvent::Started(step) => {
                self.say(step);
                self.bar.finish_and_clear();
                self.bar = ProgressBar::new_spinner().with_message(step);
                self.bar.enable_steady_tick(Duration::from_millis(200));
            }
            PartitionEvent::GaveWay { attempt } => {
                self.say(&format!("gave way to running transactions (attempt {attempt}), trying again"));
            }
            PartitionEvent::Held { micros } => {
                self.held_max = self.held_max.max(Duration::from_micros(micros));
                self.say(&format!("done; orders were held up for {} ms", micros.div_ceil(1_000)));
            }
            PartitionEvent::Copied { up_to, of } => {
                if self.bar.length().is_none() {
                    let style = ProgressStyle::with_template("{wide_bar} {pos} of about {len}, {eta}");
                    let style = style.unwrap_or_else(|_malformed| ProgressStyle::default_bar());
                    self.bar = ProgressBar::new(u64::try_from(of).unwrap_or(0)).with_style(style);
                }
                self.bar.set_position(u64::try_from(up_to).unwrap_or(0));
            }
        }
    }

    fn say(&self, text: &str) {
        if !self.is_quiet {
            self.bar.suspend(|| println!("orders: {text}"));
        }
    }
}

fn tell(standing: &Standing, as_json: bool, held_max: Option<Duration>) {
    if as_json {
        println!("{}", described(standing, held_max));
        return;
    }
    if standing.is_partitioned {
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
        table.set_header(["partition", "from id", "below id", "rows, about", "MiB"]);
        for part in &standing.partitions {
            let bound = |id: Option<i64>, open: &str| id.map_or_else(|| open.to_owned(), |id| id.to_string());
            let rows = part.rows_estimated.map_or_else(|| "not counted".to_owned(), |rows| rows.to_string());
            let bytes = (part.bytes / 1_048_576).to_string();
            table.add_row([part.name.clone(), bound(part.begin, "first"), bound(part.end, "open"), rows, bytes]);
        }
        println!("{table}");
    } else {
        println!("orders is one table.");
    }
    println!("The next order has id {}.", standing.next_id);
    for warning in warnings(standing) {
        println!("{warning}");
    }
}

/// What a cut run left, with the next step.
fn warnings(standing: &Standing) -> Vec<String> {
    let mut found = Vec::new();
    let limits = standing.partitions.iter().filter_map(|part| part.ids_below).chain(standing.ids_below);
    found.extend(limits.map(|below| {
        format!("A cut run left a limit: orders from id {below} on would be refused. Run it again, or --back.")
    }));
    if standing.is_merging {
        let up_to = standing.merged_up_to.unwrap_or(0);
        found.push(format!(
            "A way back was cut: orders up to {up_to} are copied. Run --back again, or without it to give it up."
        ));
    }
    if standing.has_leftover {
        found.push("A way back was cut: the old partitions are still there. Run --back again.".to_owned());
    }
    if !standing.unproven.is_empty() || standing.is_partitioned && !standing.is_analysed {
        found.push("A run was cut before its last checks. Run it again.".to_owned());
    }
    found
}

fn described(standing: &Standing, held_max: Option<Duration>) -> Value {
    let part = |part: &ops::OrdersPartition| {
        json!({
            "name": part.name, "begin_id": part.begin, "end_id": part.end, "rows_estimated": part.rows_estimated,
            "bytes": part.bytes, "ids_below": part.ids_below,
        })
    };
    json!({
        "table": "orders",
        "is_partitioned": standing.is_partitioned,
        "next_id": standing.next_id,
        "partitions": standing.partitions.iter().map(part).collect::<Vec<_>>(),
        "ids_below": standing.ids_below,
        "is_merging": standing.is_merging,
        "merged_up_to": standing.merged_up_to,
        "unfinished": warnings(standing),
        "held_micros_max": held_max.map(|held| u64::try_from(held.as_micros()).unwrap_or(u64::MAX)),
    })
}
