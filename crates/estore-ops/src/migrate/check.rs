//! Proves that every migration goes up, down and up again, on a scratch database with rows in it.

use estore_kit::migration::Migration;
use tokio_postgres::Config;

use super::error::MigrateError;
use super::fingerprint::Fingerprint;
use super::migrator::{Database, MigrateOptions, Migrator, settle};
use super::plan::Back;
use super::progress::{Event, Progress, silent};
use super::script;
use crate::connection::{Connection, quote_identifier};
use crate::roles::{self, Service};

/// Rows to put in once a migration stands, so that the following ones run on rows.
#[derive(Debug, Clone, Copy)]
pub struct Seed {
    /// After which migration.
    pub version: i64,
    /// Statements that put the rows in.
    pub sql: &'static str,
}

/// What was proved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// The migrations that went up, down and up again to the same schema and rows.
    pub checked: Vec<i64>,
    /// Those whose `up.sql` says that it destroys rows: only their schemas were compared.
    pub rows_not_compared: Vec<i64>,
}

/// For each migration: before → up → down equals before, → up equals the first up, rows included;
/// then, with all seeds in place, the whole way down and up again, schema by schema.
///
/// `administrator` connects to the administration database and may make databases; the scratch
/// database is dropped afterwards, whatever happens.
///
/// # Errors
/// [`MigrateError::NotReversible`] with every difference by name; else what kept it from checking.
pub async fn check(
    migrations: &[Migration],
    service: Service,
    administrator: &Config,
    seeds: &[Seed],
    progress: Progress<'_>,
) -> Result<CheckReport, MigrateError> {
    let migrator = Migrator::new(migrations, MigrateOptions::default())?;
    if let Some(stray) = seeds.iter().find(|seed| !migrations.iter().any(|known| known.version == seed.version)) {
        return Err(MigrateError::UnknownVersion(stray.version));
    }
    let connection = Connection::open(administrator).await.map_err(MigrateError::at("connect as administrator"))?;
    remove_old(&connection, service).await?;
    let name = scratch_name(&connection, service).await?;
    roles::create_database(&connection, &name, service, None).await?;
    let checked = async {
        let mut scratch = Scratch::open(&migrator, service, administrator, &name).await?;
        let report = scratch.each(seeds, progress).await?;
        let differences = scratch.differences;
        if differences.is_empty() { Ok(report) } else { Err(MigrateError::NotReversible(differences)) }
    };
    let checked = Box::pin(checked).await;
    let dropped = roles::drop_database(&connection, &name).await;
    let report = checked?;
    dropped?;
    Ok(report)
}

/// The scratch database while it is checked.
struct Scratch<'a> {
    migrator: &'a Migrator<'a>,
    database: Database,
    observer: Connection,
    differences: Vec<String>,
}

impl<'a> Scratch<'a> {
    async fn open(
        migrator: &'a Migrator<'a>,
        service: Service,
        administrator: &Config,
        name: &str,
    ) -> Result<Self, MigrateError> {
        roles::prepare_database(administrator, name, service).await?;
        let mut config = administrator.clone();
        config.dbname(name);
        let observer = Connection::open(&config).await.map_err(MigrateError::at("connect to the scratch database"))?;
        settle(&observer, MigrateOptions::default().table_wait).await?;
        Ok(Self { migrator, database: Database::of(service, config), observer, differences: Vec::new() })
    }

    async fn each(&mut self, seeds: &[Seed], progress: Progress<'_>) -> Result<CheckReport, MigrateError> {
        let migrations = self.migrator.migrations();
        let mut report = CheckReport::default();
        let mut stages = vec![self.look().await?];
        for (index, migration) in migrations.iter().enumerate() {
            let (version, name) = (migration.version, migration.name);
            progress(Event::Checking { version, name, index: index + 1, total: migrations.len() });
            let before = self.look().await?;
            let applied = self.up(version).await?;
            let with_rows = script::destroys(migration.up).is_none();
            let reverted = self.down().await?;
            self.compare(&reverted, &before, with_rows, &format!("{version} {name}, up and down"));
            if !self.differences.is_empty() {
                // What is left over would only make the second up fail for a less telling reason.
                return Ok(report);
            }
            let again = self.up(version).await?;
            self.compare(&again, &applied, with_rows, &format!("{version} {name}, up, down and up"));
            for seed in seeds.iter().filter(|seed| seed.version == version) {
                self.seed(seed, name).await?;
            }
            stages.push(again);
            report.checked.push(version);
            if !with_rows {
                report.rows_not_compared.push(version);
            }
        }
        for (index, migration) in migrations.iter().enumerate().rev() {
            let reverted = self.down().await?;
            let title = format!("{} {}, down with rows in it", migration.version, migration.name);
            self.compare(&reverted, &stages[index], false, &title);
        }
        for (index, migration) in migrations.iter().enumerate() {
            let applied = self.up(migration.version).await?;
            let title = format!("{} {}, up after all were down", migration.version, migration.name);
            self.compare(&applied, &stages[index + 1], false, &title);
        }
        Ok(report)
    }

    async fn look(&self) -> Result<Fingerprint, MigrateError> {
        Fingerprint::take(&self.observer).await
    }

    async fn up(&self, version: i64) -> Result<Fingerprint, MigrateError> {
        self.migrator.up(&self.database, Some(version), &mut silent).await?;
        self.look().await
    }

    async fn down(&self) -> Result<Fingerprint, MigrateError> {
        self.migrator.down(&self.database, Back::Steps(1), true, &mut silent).await?;
        self.look().await
    }

    async fn seed(&self, seed: &Seed, name: &str) -> Result<(), MigrateError> {
        let done = self.observer.batch_execute(seed.sql).await;
        done.map_err(|error| MigrateError::Invalid {
            version: seed.version,
            name: name.to_owned(),
            reason: format!("its seed rows are refused: {}", error.as_db_error().map_or("", |db| db.message())),
        })
    }

    fn compare(&mut self, now: &Fingerprint, then: &Fingerprint, with_rows: bool, title: &str) {
        let found = now.differences(then, with_rows);
        self.differences.extend(found.into_iter().map(|difference| format!("  {title}: {difference}")));
    }
}

/// The name carries the server's time, so that what a killed check left can be told from one that runs.
async fn scratch_name(client: &Connection, service: Service) -> Result<String, MigrateError> {
    let row = client
        .query_one("SELECT extract(epoch FROM clock_timestamp())::bigint", &[])
        .await
        .map_err(MigrateError::at("name the scratch database"))?;
    let seconds: i64 = row.get(0);
    Ok(format!("{}_check_{seconds}_{:08x}", service.database(), rand::random::<u32>()))
}

async fn remove_old(client: &Connection, service: Service) -> Result<(), MigrateError> {
    let failed = "remove old scratch databases";
    let sql = "SELECT datname::text FROM pg_database
               WHERE datname ~ ('^' || $1 || '_check_[0-9]+_[0-9a-f]{8}$')
                 AND split_part(substr(datname, length($1) + 8), '_', 1)::bigint
                     < extract(epoch FROM clock_timestamp()) - 3600";
    let old = client.query(sql, &[&service.database()]).await.map_err(MigrateError::at(failed))?;
    for row in old {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quote_identifier(row.get(0)));
        client.batch_execute(&drop).await.map_err(MigrateError::at(failed))?;
    }
    Ok(())
}
