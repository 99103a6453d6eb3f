//! A database with a table that autovacuum leaves alone.

use std::time::Duration;

use estore_kit::migration::Migration;
use estore_ops::connection::Connection;
use estore_ops::maintain::{Ending, Event, MaintainError, MaintainOptions, Report, Site, Task, Thresholds, maintain};
use estore_testkit::cluster::{TestCluster, TestDatabase};
use tokio_util::sync::CancellationToken;

const THINGS: &[Migration] = &[Migration {
    version: 202601010000,
    name: "things",
    up: "CREATE TABLE things (id bigserial PRIMARY KEY, name text NOT NULL) WITH (autovacuum_enabled = off);
         CREATE INDEX things_name ON things (name);",
    down: "-- destructive: all\nDROP TABLE things;",
}];

/// The database, and somebody who uses it.
pub struct Yard {
    pub database: TestDatabase,
    pub user: Connection,
}

impl Yard {
    /// With so many things in it, which were looked at by `VACUUM ANALYZE`.
    pub async fn with(things: u32) -> Self {
        let database = TestCluster::shared().await.database("inventory", THINGS).await;
        let user = Connection::open(&database.admin_config()).await.unwrap();
        let yard = Self { database, user };
        yard.run(&format!("INSERT INTO things (name) SELECT 'thing ' || n FROM generate_series(1, {things}) n")).await;
        yard.run("VACUUM ANALYZE things").await;
        yard
    }

    /// Runs a statement and lets the statistics know of it at once.
    pub async fn run(&self, sql: &str) {
        self.user.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        self.user.batch_execute("SELECT pg_stat_force_next_flush()").await.unwrap();
        self.user.batch_execute("SELECT 1").await.unwrap();
    }

    pub async fn number(&self, sql: &str) -> i64 {
        self.user.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// Whether indexes are left that answer nothing.
    pub async fn broken_indexes(&self) -> i64 {
        self.number("SELECT count(*) FROM pg_index WHERE NOT (indisvalid AND indisready AND indislive)").await
    }

    /// Another connection, in a transaction that has written a thing.
    pub async fn writer(&self) -> Connection {
        let writer = Connection::open(&self.database.admin_config()).await.unwrap();
        writer
            .batch_execute("SET application_name = 'a slow writer'; BEGIN; INSERT INTO things (name) VALUES ('slow')")
            .await
            .unwrap();
        writer
    }

    pub fn site(&self) -> Site {
        let (service, config) = (self.database.service(), self.database.admin_config());
        Site { service, config, owner: service.owner().to_owned(), purges: Vec::new(), is_local: false }
    }

    pub async fn maintain(&self, options: &MaintainOptions) -> Vec<Report> {
        self.try_maintain(options, &CancellationToken::new(), &|_event| {})
            .await
            .unwrap_or_else(|error| panic!("{error}"))
    }

    pub async fn try_maintain(
        &self,
        options: &MaintainOptions,
        stop: &CancellationToken,
        progress: &(dyn Fn(Event<'_>) + Send + Sync),
    ) -> Result<Vec<Report>, MaintainError> {
        maintain(&[self.site()], options, stop, progress).await
    }
}

/// Everything about indexes, with limits for small ones.
pub fn reindex() -> MaintainOptions {
    let thresholds = Thresholds { air_mib: 1, ..Thresholds::default() };
    MaintainOptions {
        tasks: vec![Task::Reindex],
        thresholds,
        lock_wait: Duration::from_millis(400),
        ..MaintainOptions::default()
    }
}

/// What was done, as `verb target`.
pub fn done(reports: &[Report]) -> Vec<String> {
    let done = reports.iter().filter(|report| matches!(report.ending, Ending::Done { .. }));
    done.map(|report| format!("{} {}", report.action.verb, report.action.target)).collect()
}
