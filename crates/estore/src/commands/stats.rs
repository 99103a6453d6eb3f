//! `estore db stats`: what the databases are doing.

mod shown;
mod tables;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use estore_ops::monitor::concern::concerns;
use estore_ops::monitor::log::{LogReport, read_log};
use estore_ops::monitor::reading::{Question, Section, look_of, read};
use estore_ops::monitor::report::{Report, keep, report};
use estore_ops::monitor::statement::Names;
use estore_ops::monitor::{Look, LookError, Looks, Seen, Unseen};
use estore_ops::postgres::PrivateCluster;
use estore_ops::roles::Service;
use jiff::Timestamp;
use serde_json::json;

use super::db::service;
use crate::Outcome;
use crate::cli::{Stats, duration};
use crate::config::Config;
use crate::databases::Databases;

/// The query files of all services, by name.
const QUERIES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/queries.rs"));
/// How far back the log is read where no window is named, in seconds.
const LOG_SECONDS: i64 = 24 * 3_600;

/// Looks, waits and looks again where a window is asked for, and tells.
pub async fn run(config: Config, asked: Stats) -> Outcome {
    let looks = Looks::of(&config.data_dir);
    let names = Arc::new(Names::of(QUERIES.iter().copied()));
    let databases = Databases::of(&config);
    let question = question(&databases, &asked, &names);
    let then = match (&asked.since, asked.window) {
        (Some(since), _) => Some(stored(&looks, since)?),
        (None, Some(window)) => Some(first_look(&question, window).await),
        (None, None) => None,
    };
    let readings = read(&question).await;
    let now = Timestamp::now();
    if let Some(name) = &asked.save {
        keep(&readings, &looks, name, now)?;
    }
    let told = report(readings, &question, then.as_ref(), &looks, now);
    let log = match log_folder(&config, &databases, &asked).filter(|_| question.sections.contains(&Section::Log)) {
        Some(folder) => Some(log(folder, &told, Arc::clone(&names)).await?),
        None => None,
    };
    let concerns = concerns(&told, log.as_ref().and_then(Seen::seen));
    if asked.json {
        let mut value = serde_json::to_value(&told)?;
        value["concerns"] = json!(concerns);
        value["log"] = json!(log);
        println!("{value}");
    } else {
        shown::report(&told, log.as_ref(), &concerns, &question.sections, usize::from(asked.top));
    }
    Ok(told.is_whole())
}

fn question<'a>(databases: &Databases, asked: &Stats, names: &'a Names) -> Question<'a> {
    let services = asked.database.map_or_else(|| Service::ALL.to_vec(), |named| vec![service(named)]);
    let sections: BTreeSet<Section> = asked.sections.iter().map(|section| section.section()).collect();
    let address = |service| {
        let config = databases.monitor(service).map_err(|error| Unseen::new(error.to_string(), ""));
        (service, config)
    };
    Question {
        databases: services.into_iter().map(address).collect(),
        sections: if sections.is_empty() { Section::ALL.into() } else { sections },
        names,
        evidence_days_min: asked.evidence_days,
    }
}

/// A look's name, or how old it should be.
fn stored(looks: &Looks, since: &str) -> Result<Look, LookError> {
    match duration(since) {
        Ok(age) => looks.aged(i64::try_from(age.as_secs()).unwrap_or(i64::MAX), Timestamp::now()),
        Err(_) => looks.named(since),
    }
}

/// The look that the window begins with. What is not counted needs to be read once only.
async fn first_look(question: &Question<'_>, window: Duration) -> Look {
    let first = Question {
        databases: question.databases.clone(),
        sections: BTreeSet::new(),
        names: question.names,
        ..*question
    };
    let look = look_of(&read(&first).await, Timestamp::now());
    let progress = indicatif::ProgressBar::new_spinner();
    progress.set_message(format!("looking again in {} s", window.as_secs()));
    progress.enable_steady_tick(Duration::from_millis(200));
    tokio::time::sleep(window).await;
    progress.finish_and_clear();
    look
}

/// That of the private PostgreSQL's log, unless another one is named.
fn log_folder(config: &Config, databases: &Databases, asked: &Stats) -> Option<PathBuf> {
    let private = databases.needs_private(&Service::ALL).then(|| PrivateCluster::log_folder(&config.data_dir));
    asked.log.clone().or(private)
}

/// What the log says of the window, or of the last day.
async fn log(folder: PathBuf, told: &Report, names: Arc<Names>) -> Result<Seen<LogReport>, tokio::task::JoinError> {
    let day_ago = told.taken_at.as_second() - LOG_SECONDS;
    let from = told.window_from.unwrap_or_else(|| Timestamp::from_second(day_ago).unwrap_or_default());
    tokio::task::spawn_blocking(move || Seen::from(read_log(&folder, from, &names))).await
}
