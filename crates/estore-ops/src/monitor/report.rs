//! All of it: what servers and databases do, now and within a window.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::advice::{Advised, Evidence, advise};
use super::cache::{Activity, TableReads, activity, table_reads};
use super::index::Index;
use super::look::{Look, LookError, Looks};
use super::reading::{Present, Question, Read, Reading, Section, Wholes, look_of};
use super::server::Server;
use super::statement::{Ranking, rank};
use super::table::Table;
use super::unseen::{Seen, Unseen};
use crate::roles::Service;

/// A server and what concerns all its databases.
#[derive(Debug, Clone, Serialize)]
pub struct ServerReport {
    /// The server.
    #[serde(flatten)]
    pub server: Server,
    /// The databases that were looked at on it.
    pub databases: Vec<String>,
    /// The rest.
    #[serde(flatten)]
    pub wholes: Wholes,
}

/// One database.
#[derive(Debug, Clone, Serialize)]
pub struct DatabaseReport {
    /// `users`, `inventory` or `payments`.
    pub service: &'static str,
    /// Why nothing at all was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<Unseen>,
    /// Its name on the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// Its server, by `system_identifier`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// As whom it was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The ranking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statements: Option<Seen<Ranking>>,
    /// Cache, transactions, errors of sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity: Option<Activity>,
    /// The tables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tables: Option<Seen<Vec<Table>>>,
    /// How they were read within the window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table_reads: Option<Vec<TableReads>>,
    /// The indexes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub indexes: Option<Seen<Vec<Index>>>,
    /// Advice on them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<Seen<Advised>>,
    /// The rest.
    #[serde(flatten)]
    pub present: Present,
}

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// When.
    pub taken_at: Timestamp,
    /// The look that the window begins with; all is counted since the statistics' reset where there is none.
    pub window_from: Option<Timestamp>,
    /// Each server once.
    pub servers: Vec<ServerReport>,
    /// Each database.
    pub databases: Vec<DatabaseReport>,
}

impl Report {
    /// Whether every database answered.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.databases.iter().all(|database| database.unreachable.is_none())
    }
}

/// Stores what readings have counted under a name, and notes which indexes there are.
///
/// # Errors
/// [`LookError`].
pub fn keep(readings: &[Reading], looks: &Looks, name: &str, now: Timestamp) -> Result<(), LookError> {
    for read in readings.iter().filter_map(|reading| reading.read.as_ref().ok()) {
        if let Seen::Yes(indexes) = &read.indexes {
            let numbers: Vec<i64> = indexes.iter().map(|index| index.oid).collect();
            looks.note_indexes(&read.id(), &numbers, read.server.read_at)?;
        }
    }
    looks.save(name, &look_of(readings, now))
}

/// Compares readings with an earlier look, if there is one, and says what they mean.
#[must_use]
pub fn report(
    readings: Vec<Reading>,
    question: &Question<'_>,
    then: Option<&Look>,
    looks: &Looks,
    taken_at: Timestamp,
) -> Report {
    let mut servers: Vec<ServerReport> = Vec::new();
    let mut databases = Vec::new();
    for Reading { service, read } in readings {
        match read {
            Err(unseen) => databases.push(DatabaseReport { unreachable: Some(unseen), ..empty(service) }),
            Ok(mut read) => {
                join(&mut servers, &mut read);
                databases.push(told(service, read, question, then, looks));
            }
        }
    }
    Report { taken_at, window_from: then.map(|then| then.taken_at), servers, databases }
}

/// Databases of one server tell of it once.
fn join(servers: &mut Vec<ServerReport>, read: &mut Read) {
    let name = read.counters.database.clone();
    let same = |one: &&mut ServerReport| {
        (&one.server.system_identifier, one.server.started_at)
            == (&read.server.system_identifier, read.server.started_at)
    };
    if let Some(known) = servers.iter_mut().find(same) {
        return known.databases.push(name);
    }
    let wholes = std::mem::take(&mut read.wholes);
    servers.push(ServerReport { server: read.server.clone(), databases: vec![name], wholes });
}

fn told(
    service: Service,
    mut read: Read,
    question: &Question<'_>,
    then: Option<&Look>,
    looks: &Looks,
) -> DatabaseReport {
    let asked = |section| question.sections.contains(&section);
    let id = read.id();
    let before = then.and_then(|then| Some((then.databases.get(&id)?, then.taken_at)));
    let mut report = DatabaseReport {
        database: Some(read.counters.database.clone()),
        server: Some(read.server.system_identifier.clone()),
        role: Some(read.server.role.clone()),
        present: std::mem::take(&mut read.present),
        ..empty(service)
    };
    if asked(Section::Indexes) {
        report.advice = Some(advice(&read, question, looks, &id));
        report.indexes = Some(read.indexes);
    }
    if asked(Section::Statements) {
        let then = before.and_then(|(then, at)| Some((then.statements.as_ref()?, at)));
        report.statements = Some(match &read.statements {
            Seen::Yes(now) => Seen::Yes(rank(now, then, question.names)),
            Seen::No(unseen) => Seen::No(unseen.clone()),
        });
    }
    if asked(Section::Cache) {
        let then = before.and_then(|(then, at)| Some((then.database.as_ref()?, at)));
        report.table_reads = read.tables.seen().map(|tables| table_reads(tables, &read.counters, before));
        report.activity = Some(activity(&read.counters, then));
    }
    if asked(Section::Tables) {
        report.tables = Some(read.tables);
    }
    report
}

fn advice(read: &Read, question: &Question<'_>, looks: &Looks, id: &str) -> Seen<Advised> {
    let indexes = match &read.indexes {
        Seen::Yes(indexes) => indexes,
        Seen::No(unseen) => return Seen::No(unseen.clone()),
    };
    let now = read.server.read_at;
    let numbers: Vec<i64> = indexes.iter().map(|index| index.oid).collect();
    let first_seen = looks.note_indexes(id, &numbers, now).unwrap_or_else(|error| {
        tracing::warn!(%error, "since when each index is there cannot be noted");
        BTreeMap::new()
    });
    Seen::Yes(advise(&Evidence {
        indexes,
        tables: read.tables.seen().map_or(&[], Vec::as_slice),
        foreign_keys: read.foreign_keys.seen().map_or(&[], Vec::as_slice),
        counted_since: read.counters.counted_since,
        first_seen: &first_seen,
        now,
        days_min: question.evidence_days_min,
    }))
}

fn empty(service: Service) -> DatabaseReport {
    DatabaseReport {
        service: service.name(),
        unreachable: None,
        database: None,
        server: None,
        role: None,
        statements: None,
        activity: None,
        tables: None,
        table_reads: None,
        indexes: None,
        advice: None,
        present: Present::default(),
    }
}
