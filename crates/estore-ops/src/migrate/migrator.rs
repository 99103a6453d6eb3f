//! The runner: `status`, `up`, `down` and `redo` on one database.

use std::time::Duration;

use estore_kit::migration::Migration;
use tokio::time::{Instant, sleep};
use tokio_postgres::{Client, Config};

use super::error::MigrateError;
use super::ledger::{self, Entry};
use super::plan::{self, Back};
use super::progress::{Direction, Event, Progress};
use super::{apply, script};
use crate::connection::{Connection, quote_identifier};
use crate::roles::Service;

/// One runner at a time and database holds this advisory lock.
const LOCK_KEY: i64 = 0x4553_544f_4d49_4752;

/// A database to migrate.
#[derive(Debug, Clone)]
pub struct Database {
    /// How to connect: directly, never through a pooler, as a role that may become the owner.
    pub config: Config,
    /// The role everything will belong to.
    pub owner: String,
    /// The role that gets no right to write the ledger.
    pub app: String,
}

impl Database {
    /// A service's database, or another one with that service's roles.
    #[must_use]
    pub fn of(service: Service, config: Config) -> Self {
        Self { config, owner: service.owner().to_owned(), app: service.app().to_owned() }
    }

    pub(crate) fn name(&self) -> String {
        self.config.get_dbname().unwrap_or_default().to_owned()
    }
}

/// How patient a runner is.
#[derive(Debug, Clone)]
pub struct MigrateOptions {
    /// How long another runner is waited for.
    pub lock_wait: Duration,
    /// How long a statement waits for a table before it gives way to those queued behind it.
    pub table_wait: Duration,
    /// The same outside a transaction, where nobody queues behind it.
    pub concurrent_wait: Duration,
    /// How often a migration is tried in all.
    pub attempts: u32,
}

impl Default for MigrateOptions {
    fn default() -> Self {
        Self {
            lock_wait: Duration::from_secs(60),
            table_wait: Duration::from_secs(2),
            concurrent_wait: Duration::from_secs(300),
            attempts: 8,
        }
    }
}

/// What a command did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The versions applied, in order.
    pub applied: Vec<i64>,
    /// The versions taken back, in order.
    pub reverted: Vec<i64>,
}

/// Where one migration stands.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Its version.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// Its row in the ledger; `None` while it is pending.
    pub entry: Option<Entry>,
    /// Whether this build has it.
    pub known: bool,
    /// What its way back loses, when it says so.
    pub destroys: Option<String>,
}

/// Runs one service's migrations.
#[derive(Debug, Clone)]
pub struct Migrator<'a> {
    migrations: &'a [Migration],
    options: MigrateOptions,
}

impl<'a> Migrator<'a> {
    /// A runner for these migrations, oldest first.
    ///
    /// # Errors
    /// [`MigrateError::Invalid`] naming the migration that cannot be run safely.
    pub fn new(migrations: &'a [Migration], options: MigrateOptions) -> Result<Self, MigrateError> {
        plan::validate(migrations)?;
        Ok(Self { migrations, options })
    }

    /// The migrations of this runner, oldest first.
    #[must_use]
    pub fn migrations(&self) -> &'a [Migration] {
        self.migrations
    }

    /// Where each migration stands, oldest first; takes no lock and changes nothing.
    ///
    /// # Errors
    /// [`MigrateError::Database`]; also an altered or missing migration.
    pub async fn status(&self, database: &Database) -> Result<Vec<Standing>, MigrateError> {
        let connection = open(database, &self.options).await?;
        let mut entries = ledger::entries(&connection).await?;
        plan::verify(self.migrations, &entries)?;
        let mut standings: Vec<Standing> = Vec::new();
        for migration in self.migrations {
            let at = entries.iter().position(|entry| entry.version == migration.version);
            standings.push(Standing {
                version: migration.version,
                name: migration.name.to_owned(),
                entry: at.map(|at| entries.remove(at)),
                known: true,
                destroys: script::destroys(migration.down).map(str::to_owned),
            });
        }
        standings.extend(entries.into_iter().map(|entry| Standing {
            version: entry.version,
            name: entry.name.clone(),
            destroys: script::destroys(&entry.down).map(str::to_owned),
            entry: Some(entry),
            known: false,
        }));
        Ok(standings)
    }

    /// Applies what is pending, up to and including `to`. An empty report means there was nothing.
    ///
    /// # Errors
    /// [`MigrateError`]; the migrations before the failed one stand, the failed one left nothing.
    pub async fn up(
        &self,
        database: &Database,
        to: Option<i64>,
        progress: Progress<'_>,
    ) -> Result<Report, MigrateError> {
        let mut connection = self.locked(database, progress).await?;
        let entries = ledger::entries(&connection).await?;
        plan::verify(self.migrations, &entries)?;
        let todo = plan::pending(self.migrations, &entries, to)?;
        let mut report = Report::default();
        for (index, migration) in todo.iter().enumerate() {
            let resumed = entries.iter().any(|entry| entry.version == migration.version);
            let step = apply::Step {
                entry: plan::entry_of(migration),
                direction: Direction::Up,
                sql: migration.up,
                resumed,
                place: (index + 1, todo.len()),
            };
            apply::run(&mut connection, &self.options, &step, progress).await?;
            report.applied.push(migration.version);
        }
        Ok(report)
    }

    /// Takes applied migrations back, newest first; `destructive` agrees to the losses they name.
    ///
    /// # Errors
    /// [`MigrateError`]; [`MigrateError::Destructive`] before anything is done.
    pub async fn down(
        &self,
        database: &Database,
        back: Back,
        destructive: bool,
        progress: Progress<'_>,
    ) -> Result<Report, MigrateError> {
        let mut connection = self.locked(database, progress).await?;
        let entries = ledger::entries(&connection).await?;
        plan::verify(self.migrations, &entries)?;
        let todo = plan::backwards(&entries, back, destructive)?;
        let mut report = Report::default();
        let total = todo.len();
        for (index, entry) in todo.into_iter().enumerate() {
            let (version, sql) = (entry.version, entry.down.clone());
            let resumed = entry.state != ledger::State::Applied;
            let step = apply::Step { entry, direction: Direction::Down, sql: &sql, resumed, place: (index + 1, total) };
            apply::run(&mut connection, &self.options, &step, progress).await?;
            report.reverted.push(version);
        }
        Ok(report)
    }

    /// Takes the newest applied migration back and applies it again.
    ///
    /// # Errors
    /// Those of [`Migrator::down`] and [`Migrator::up`].
    pub async fn redo(
        &self,
        database: &Database,
        destructive: bool,
        progress: Progress<'_>,
    ) -> Result<Report, MigrateError> {
        let newest_known = self.migrations.last().map_or(0, |migration| migration.version);
        let standings = self.status(database).await?;
        let newest = standings.iter().rev().find(|standing| standing.entry.is_some());
        let Some(newest) = newest else { return Ok(Report::default()) };
        if newest.version > newest_known {
            return Err(MigrateError::UnknownVersion(newest.version));
        }
        let mut report = self.down(database, Back::Steps(1), destructive, progress).await?;
        report.applied = self.up(database, Some(newest.version), progress).await?.applied;
        Ok(report)
    }

    /// A connection that holds the migration lock until it is dropped.
    async fn locked(&self, database: &Database, progress: Progress<'_>) -> Result<Connection, MigrateError> {
        let connection = open(database, &self.options).await?;
        take_runner_lock(&connection, &database.name(), self.options.lock_wait, &mut || {
            progress(Event::WaitingForRunner);
        })
        .await?;
        ledger::ensure(&connection, &database.app).await?;
        Ok(connection)
    }
}

/// Takes the lock that one runner has at a time and database, for as long as the connection lives.
pub(crate) async fn take_runner_lock(
    connection: &Client,
    database: &str,
    wait: Duration,
    waiting: &mut (dyn FnMut() + Send),
) -> Result<(), MigrateError> {
    let deadline = Instant::now() + wait;
    let mut told = false;
    // Waiting inside pg_advisory_lock would hold a snapshot that CREATE INDEX CONCURRENTLY waits for.
    loop {
        let row = connection
            .query_one("SELECT pg_try_advisory_lock($1)", &[&LOCK_KEY])
            .await
            .map_err(MigrateError::at("take the migration lock"))?;
        if row.get(0) {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(MigrateError::Locked { database: database.to_owned(), seconds: wait.as_secs() });
        }
        if !told {
            waiting();
            told = true;
        }
        sleep(Duration::from_millis(rand::random_range(50..150))).await;
    }
}

pub(crate) async fn open(database: &Database, options: &MigrateOptions) -> Result<Connection, MigrateError> {
    let mut config = database.config.clone();
    config.application_name("estore migrate");
    let connection = Connection::open(&config).await.map_err(MigrateError::at("connect to the database"))?;
    let role = format!("SET ROLE {}", quote_identifier(&database.owner));
    connection.batch_execute(&role).await.map_err(MigrateError::at("become the owner of the database"))?;
    settle(&connection, options.table_wait).await?;
    Ok(connection)
}

/// The session as each migration finds it, whatever the one before it set.
pub(crate) async fn settle(client: &Client, wait: Duration) -> Result<(), MigrateError> {
    let sql = format!(
        "SET search_path = public; SET lock_timeout = {}; SET statement_timeout = 0; \
         SET idle_in_transaction_session_timeout = 0; SET client_min_messages = warning; SET timezone = 'UTC'",
        wait.as_millis()
    );
    client.batch_execute(&sql).await.map_err(MigrateError::at("prepare the session"))
}
