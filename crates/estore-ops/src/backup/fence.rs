//! One moment of several databases: writers are held back for as long as it takes to export a snapshot of
//! each, and need not know.
//!
//! The fence is a SHARE lock on every table, which waits for the transactions that write and lets readers pass.
//! It is asked for with a deadline, taken back and tried again: writers that queue behind it are let through.

use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use jiff::Timestamp;
use rand::RngExt;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};
use tokio_postgres::Config;
use tokio_postgres::error::SqlState;

use super::create::Source;
use super::error::BackupError;
use crate::connection::{Connection, quote_literal};

const TABLES: &str = include_str!("../../queries/backup_fenced_tables.sql");
/// The pause after a failed try, in milliseconds; as much again at random.
const PAUSE_MS: u64 = 60;
/// When a lock is found to wait for a vacuum, or in a deadlock; both give way then. In milliseconds.
const DEADLOCK_MS: u32 = 10;

/// Whether writers are held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FencePolicy {
    /// No backup without a fence.
    Required,
    /// Without one where it cannot be had in time.
    Preferred,
    /// Never.
    None,
}

/// How a fence is taken.
#[derive(Debug, Clone)]
pub struct FenceOptions {
    /// Whether.
    pub policy: FencePolicy,
    /// How long one try may take in a database, in milliseconds.
    pub wait_ms_max: u32,
    /// How many tries.
    pub tries_max: u32,
}

impl Default for FenceOptions {
    fn default() -> Self {
        Self { policy: FencePolicy::Required, wait_ms_max: 60, tries_max: 40 }
    }
}

/// The fence as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fence {
    /// Whether there was one: the databases show one moment.
    pub held: bool,
    /// From the first lock asked for to the last one given back, in microseconds.
    pub micros: u64,
    /// How many tries it took.
    pub tries: u32,
    /// The longest that a failed try held writers back, in microseconds.
    pub failed_micros_max: u64,
}

/// A database's snapshot; it lives as long as this does.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) connection: Connection,
    pub(crate) id: String,
    pub(crate) wal_lsn: String,
    pub(crate) server: String,
    pub(crate) taken_at: Timestamp,
    /// With its indexes, in bytes: a dump is rather less.
    pub(crate) bytes: u64,
}

/// Whatever is read in a snapshot reads the same in a restored copy, and past row-level security or not at all.
pub(crate) const PINNED: &str =
    "SET search_path = public, pg_catalog; SET DateStyle = 'ISO, YMD'; SET TimeZone = 'UTC';
    SET IntervalStyle = 'postgres'; SET extra_float_digits = 1; SET bytea_output = 'hex'; SET row_security = off;
    SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0;";

/// Exports a snapshot of each source, all at one moment where the policy can be kept.
pub(crate) async fn snapshots(
    sources: &[Source],
    options: &FenceOptions,
) -> Result<(Vec<Snapshot>, Fence), BackupError> {
    let sessions = try_join_all(sources.iter().map(begin)).await?;
    if options.policy == FencePolicy::None {
        return Ok((export_all(sources, sessions).await?, Fence::default()));
    }
    let mut gates = try_join_all(sources.iter().map(Gate::open)).await?;
    let mut failed_micros_max = 0;
    for tries in 1..=options.tries_max {
        let begun = Instant::now();
        let locked = join_all(gates.iter_mut().map(|gate| gate.close(options.wait_ms_max))).await;
        let refused = locked.into_iter().find_map(Result::err);
        match refused {
            None => {
                let exported = export_all(sources, sessions).await;
                let opened = try_join_all(gates.iter().map(Gate::release)).await;
                let micros = micros_since(begun);
                opened?;
                return Ok((exported?, Fence { held: true, micros, tries, failed_micros_max }));
            }
            Some(Refused::Failed(error)) => return Err(error),
            Some(Refused::Busy) => {
                try_join_all(gates.iter().map(Gate::release)).await?;
                failed_micros_max = failed_micros_max.max(micros_since(begun));
                let pause = rand::rng().random_range(PAUSE_MS..2 * PAUSE_MS);
                sleep(Duration::from_millis(pause)).await;
            }
        }
    }
    if options.policy == FencePolicy::Required {
        return Err(BackupError::Fence { tries: options.tries_max });
    }
    let fence = Fence { held: false, micros: 0, tries: options.tries_max, failed_micros_max };
    Ok((export_all(sources, sessions).await?, fence))
}

fn micros_since(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX)
}

async fn connect(config: &Config, database: &str) -> Result<Connection, BackupError> {
    Connection::open(config).await.map_err(BackupError::database(database, "connect"))
}

/// A session whose transaction takes its snapshot with its first query, which comes later.
async fn begin(source: &Source) -> Result<Connection, BackupError> {
    let connection = connect(&source.dump, &source.database).await?;
    let failed = || BackupError::database(&source.database, "prepare the snapshot");
    let whole = "SELECT rolbypassrls OR rolsuper, rolname::text FROM pg_roles WHERE rolname = current_user";
    let row = connection.query_one(whole, &[]).await.map_err(failed())?;
    if !row.get::<_, bool>(0) {
        return Err(BackupError::NotWhole { database: source.database.clone(), role: row.get(1) });
    }
    connection.batch_execute(PINNED).await.map_err(failed())?;
    connection.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.map_err(failed())?;
    Ok(connection)
}

async fn export_all(sources: &[Source], sessions: Vec<Connection>) -> Result<Vec<Snapshot>, BackupError> {
    try_join_all(sources.iter().zip(sessions).map(|(source, session)| export(source, session))).await
}

async fn export(source: &Source, connection: Connection) -> Result<Snapshot, BackupError> {
    let sql = "SELECT pg_export_snapshot(), current_setting('server_version'), clock_timestamp(),
                      CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END::text,
                      pg_database_size(current_database())";
    let rows =
        connection.simple_query(sql).await.map_err(BackupError::database(&source.database, "export a snapshot"))?;
    let row = rows.iter().find_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let text = |column: usize| row.and_then(|row| row.get(column)).unwrap_or_default().to_owned();
    let taken_at = text(2).replacen(' ', "T", 1).parse();
    let taken_at = taken_at.map_err(|error: jiff::Error| BackupError::Internal(error.to_string()))?;
    let bytes = text(4).parse().unwrap_or_default();
    Ok(Snapshot { id: text(0), server: text(1), taken_at, wal_lsn: text(3), bytes, connection })
}

/// A database's part of the fence.
struct Gate<'a> {
    source: &'a Source,
    connection: Connection,
    tables: Vec<String>,
    may_set_deadlock: bool,
}

/// Why a gate did not close.
enum Refused {
    /// Writers were at work for longer than the deadline.
    Busy,
    /// It never will.
    Failed(BackupError),
}

impl<'a> Gate<'a> {
    async fn open(source: &'a Source) -> Result<Self, BackupError> {
        let connection = connect(&source.fence, &source.database).await?;
        let failed = || BackupError::database(&source.database, "look at its tables");
        connection.batch_execute("SET search_path = public, pg_catalog").await.map_err(failed())?;
        let rows = connection.query(TABLES, &[]).await.map_err(failed())?;
        let tables = rows.iter().map(|row| row.get(0)).collect();
        let row = connection.query_one("SELECT current_setting('is_superuser') = 'on'", &[]).await.map_err(failed())?;
        Ok(Self { source, connection, tables, may_set_deadlock: row.get(0) })
    }

    /// Locks every table, or none within the deadline. The table that held it up is asked for first the next
    /// time: whoever writes to it may be waiting for one that we have.
    async fn close(&mut self, wait_ms_max: u32) -> Result<(), Refused> {
        let Err(error) = self.connection.batch_execute(&self.lock_sql(wait_ms_max)).await else { return Ok(()) };
        let Some(db) = error.as_db_error() else {
            return Err(Refused::Failed(BackupError::database(&self.source.database, "hold back writers")(error)));
        };
        if ![SqlState::LOCK_NOT_AVAILABLE, SqlState::T_R_DEADLOCK_DETECTED].contains(db.code()) {
            return Err(Refused::Failed(BackupError::database(&self.source.database, "hold back writers")(error)));
        }
        let context = db.where_().unwrap_or_default();
        let waited_for = self.tables.iter().position(|table| context.contains(&lock_statement(table)));
        if let Some(place) = waited_for {
            let table = self.tables.remove(place);
            self.tables.insert(0, table);
        }
        Err(Refused::Busy)
    }

    async fn release(&self) -> Result<(), BackupError> {
        let done = self.connection.batch_execute("ROLLBACK").await;
        done.map_err(BackupError::database(&self.source.database, "let writers go on"))
    }

    /// One round trip; should this process stand still, the server lets the writers go on by itself.
    fn lock_sql(&self, wait_ms_max: u32) -> String {
        let deadlock =
            if self.may_set_deadlock { format!("SET LOCAL deadlock_timeout = {DEADLOCK_MS};") } else { String::new() };
        let statements: Vec<String> = self.tables.iter().map(|table| quote_literal(&lock_statement(table))).collect();
        format!(
            "BEGIN; SET LOCAL idle_in_transaction_session_timeout = 1000; {deadlock}
             DO $lock$ DECLARE statement text; BEGIN
                 FOREACH statement IN ARRAY ARRAY[{}]::text[] LOOP
                     PERFORM set_config('lock_timeout', greatest(1, {wait_ms_max} - (extract(epoch FROM clock_timestamp() - now()) * 1000)::int)::text, true);
                     EXECUTE statement;
                 END LOOP;
             END $lock$",
            statements.join(", ")
        )
    }
}

fn lock_statement(table: &str) -> String {
    format!("LOCK TABLE {table} IN SHARE MODE")
}
