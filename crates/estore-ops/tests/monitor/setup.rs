//! A database, and psql to ask it the same.

use std::collections::BTreeSet;
use std::process::Command;

use estore_ops::connection::Connection;
use estore_ops::monitor::reading::{Question, Reading, Section, read};
use estore_ops::monitor::report::{Report, report};
use estore_ops::monitor::statement::Names;
use estore_ops::monitor::{Look, Looks, Unseen};
use estore_ops::roles::{MONITOR, Service};
use estore_testkit::cluster::{TestCluster, TestDatabase};
use jiff::Timestamp;
use tempfile::TempDir;
use tokio_postgres::Config;

/// A database without any table, and where looks at it are stored.
pub struct Watched {
    pub database: TestDatabase,
    folder: TempDir,
    names: Names,
}

impl Watched {
    pub async fn empty() -> Self {
        let database = TestCluster::shared().await.empty_database("users").await;
        Self { database, folder: tempfile::tempdir().unwrap(), names: Names::default() }
    }

    /// With query files by name and text.
    pub async fn knowing(files: &[(&str, &str)]) -> Self {
        Self { names: Names::of(files.iter().copied()), ..Self::empty().await }
    }

    pub async fn owner(&self) -> Connection {
        Connection::open(&self.database.owner_config()).await.unwrap()
    }

    pub fn looks(&self) -> Looks {
        Looks::of(self.folder.path())
    }

    /// All sections, as the monitor.
    pub async fn told(&self) -> Report {
        self.told_as(MONITOR, None, 35).await
    }

    pub async fn told_as(&self, role: &str, then: Option<&Look>, evidence_days_min: u32) -> Report {
        let question = self.question(role, evidence_days_min);
        let readings = read(&question).await;
        report(readings, &question, then, &self.looks(), Timestamp::now())
    }

    pub async fn readings(&self) -> Vec<Reading> {
        read(&self.question(MONITOR, 35)).await
    }

    fn question(&self, role: &str, evidence_days_min: u32) -> Question<'_> {
        question(self.database.config_as(role), &self.names, evidence_days_min)
    }

    /// Rows as psql prints them, as the administrator.
    pub fn psql(&self, sql: &str) -> Vec<Vec<String>> {
        psql(&self.database.url_as("postgres"), sql)
    }

    /// The only number of the only row.
    pub fn number(&self, sql: &str) -> i64 {
        number(&self.psql(sql))
    }
}

pub fn question(config: Config, names: &Names, evidence_days_min: u32) -> Question<'_> {
    let databases: Vec<(Service, Result<Config, Unseen>)> = vec![(Service::Users, Ok(config))];
    Question { databases, sections: BTreeSet::from(Section::ALL), names, evidence_days_min }
}

pub fn psql(url: &str, sql: &str) -> Vec<Vec<String>> {
    let asked =
        Command::new("psql").args([url, "-X", "-A", "-t", "-F", "|", "-v", "ON_ERROR_STOP=1", "-c", sql]).output();
    let asked = asked.expect("psql is installed with PostgreSQL");
    assert!(asked.status.success(), "{sql}: {}", String::from_utf8_lossy(&asked.stderr));
    let text = String::from_utf8_lossy(&asked.stdout).into_owned();
    text.lines().map(|line| line.split('|').map(str::to_owned).collect()).collect()
}

pub fn number(rows: &[Vec<String>]) -> i64 {
    rows[0][0].parse().unwrap_or_else(|_| panic!("{rows:?} is no number"))
}

/// Makes what the session has counted known to all.
pub async fn flush(client: &tokio_postgres::Client) {
    client.batch_execute("SELECT pg_stat_force_next_flush()").await.unwrap();
    client.batch_execute("SELECT 1").await.unwrap();
}
