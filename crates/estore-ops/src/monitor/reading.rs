//! What is read of each database, before it is compared with an earlier look.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::Config;

use super::cache::TableReads;
use super::database::{self, ClientSession, DatabaseCounters, Wait};
use super::index::{self, ForeignKey, Index};
use super::look::{Counters, Look, database_id};
use super::server::{self, Clients, Replication, Server, Wraparound};
use super::session::Session;
use super::statement::{self, Names, Statements};
use super::table::{self, OldTable, Room, Sequence, Table};
use super::unseen::{Seen, Unseen};
use crate::roles::Service;

/// A part of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// The ranking by `pg_stat_statements`.
    Statements,
    /// The server's own log.
    Log,
    /// Cache, transactions, temporary files, deadlocks.
    Cache,
    /// Sizes, dead rows, vacuum.
    Tables,
    /// Indexes and advice on them.
    Indexes,
    /// Room that nobody uses.
    Bloat,
    /// Numbers left.
    Sequences,
    /// Transaction numbers left.
    Wraparound,
    /// Clients.
    Connections,
    /// Who waits for whom.
    Locks,
    /// Standbys, slots, archiving.
    Replication,
}

impl Section {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Statements,
        Self::Log,
        Self::Cache,
        Self::Tables,
        Self::Indexes,
        Self::Bloat,
        Self::Sequences,
        Self::Wraparound,
        Self::Connections,
        Self::Locks,
        Self::Replication,
    ];
}

/// What is asked for.
#[derive(Debug)]
pub struct Question<'a> {
    /// The databases, and how each is reached.
    pub databases: Vec<(Service, Result<Config, Unseen>)>,
    /// The parts.
    pub sections: BTreeSet<Section>,
    /// Query files by their text.
    pub names: &'a Names,
    /// Days of evidence before an index is called unused.
    pub evidence_days_min: u32,
}

/// What was read of one database, before it is compared with an earlier look.
#[derive(Debug)]
pub struct Reading {
    pub(super) service: Service,
    pub(super) read: Result<Read, Unseen>,
}

#[derive(Debug)]
pub(super) struct Read {
    pub(super) server: Server,
    pub(super) wholes: Wholes,
    pub(super) counters: DatabaseCounters,
    pub(super) statements: Seen<Statements>,
    pub(super) tables: Seen<Vec<Table>>,
    pub(super) indexes: Seen<Vec<Index>>,
    pub(super) foreign_keys: Seen<Vec<ForeignKey>>,
    pub(super) present: Present,
}

/// What is as it is at this moment, window or not; each part where it was asked for.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Present {
    /// Unused room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bloat: Option<Seen<Room>>,
    /// Numbers left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequences: Option<Seen<Vec<Sequence>>>,
    /// Tables by the age of their transactions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_tables: Option<Seen<Vec<OldTable>>>,
    /// The oldest sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions: Option<Seen<Vec<ClientSession>>>,
    /// Who waits for whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locks: Option<Seen<Vec<Wait>>>,
}

/// What concerns all databases of a server.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Wholes {
    /// Its clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clients: Option<Seen<Vec<Clients>>>,
    /// Transaction numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wraparound: Option<Seen<Vec<Wraparound>>>,
    /// Standbys and archiving.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replication: Option<Seen<Replication>>,
}

/// Reads all that is asked for, each database on one connection, all at a time.
pub async fn read(question: &Question<'_>) -> Vec<Reading> {
    let readings = question.databases.iter().map(|(service, config)| async {
        let read = match config {
            Ok(config) => Box::pin(read_one(config, &question.sections)).await,
            Err(unseen) => Err(unseen.clone()),
        };
        Reading { service: *service, read }
    });
    futures_util::future::join_all(readings).await
}

async fn read_one(config: &Config, sections: &BTreeSet<Section>) -> Result<Read, Unseen> {
    let session = Session::open(config).await?;
    Ok(Read {
        server: server::server(&session).await?,
        wholes: wholes(&session, sections).await,
        counters: database::counters(&session).await?,
        // Whatever is asked for: a stored look is made of them.
        statements: statement::statements(&session).await.into(),
        tables: table::tables(&session).await.into(),
        indexes: index::indexes(&session).await.into(),
        foreign_keys: index::foreign_keys(&session).await.into(),
        present: present(&session, sections).await,
    })
}

async fn wholes(session: &Session, sections: &BTreeSet<Section>) -> Wholes {
    let mut wholes = Wholes::default();
    if sections.contains(&Section::Connections) {
        wholes.clients = Some(server::clients(session).await.into());
    }
    if sections.contains(&Section::Wraparound) {
        wholes.wraparound = Some(server::wraparound(session).await.into());
    }
    if sections.contains(&Section::Replication) {
        wholes.replication = Some(server::replication(session).await.into());
    }
    wholes
}

async fn present(session: &Session, sections: &BTreeSet<Section>) -> Present {
    let mut present = Present::default();
    if sections.contains(&Section::Bloat) {
        present.bloat = Some(table::room(session).await.into());
    }
    if sections.contains(&Section::Sequences) {
        present.sequences = Some(table::sequences(session).await.into());
    }
    if sections.contains(&Section::Wraparound) {
        present.oldest_tables = Some(table::oldest_tables(session).await.into());
    }
    if sections.contains(&Section::Connections) {
        present.sessions = Some(database::sessions(session).await.into());
    }
    if sections.contains(&Section::Locks) {
        present.locks = Some(database::waits(session).await.into());
    }
    present
}

/// The counters in readings, for a later look to be compared with.
#[must_use]
pub fn look_of(readings: &[Reading], taken_at: Timestamp) -> Look {
    let mut databases = BTreeMap::new();
    for read in readings.iter().filter_map(|reading| reading.read.as_ref().ok()) {
        let tables = read.tables.seen().into_iter().flatten();
        let indexes = read.indexes.seen().into_iter().flatten();
        let counters = Counters {
            database: Some(read.counters.clone()),
            statements: read.statements.seen().cloned(),
            tables: tables.map(|table| (table.oid, TableReads::counters(table))).collect(),
            indexes: indexes.map(|index| (index.oid, [index.scans, index.entries_read])).collect(),
        };
        databases.insert(read.id(), counters);
    }
    Look { taken_at, databases }
}

impl Read {
    /// What the database is known by.
    pub(super) fn id(&self) -> String {
        database_id(&self.server.system_identifier, self.counters.oid)
    }
}
