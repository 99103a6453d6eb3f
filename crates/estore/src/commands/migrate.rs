//! `estore db migrate …`, and the migrating that other commands need.

use std::path::Path;

use estore_kit::migration::Migration;
use estore_ops::migrate::{self as ops, Back, Database, Direction, Event, MigrateOptions, Migrator};
use estore_ops::postgres::{ClusterAccess, ClusterOptions, PrivateCluster};
use estore_ops::roles::{Service, bootstrap};
use serde_json::json;

use super::db::service;
use crate::Outcome;
use crate::cli::{Migrate, Which};
use crate::config::Config;
use crate::databases::{Databases, migrations};

/// Whatever stops a migration.
type MigrateResult<T> = Result<T, Box<dyn std::error::Error>>;

/// Makes roles and databases where they are missing and applies what is pending.
pub async fn prepare(databases: &Databases, services: &[Service]) -> MigrateResult<()> {
    bootstrap_roles(databases, services).await?;
    for &service in services {
        let migrator = Migrator::new(migrations(service), MigrateOptions::default())?;
        migrator.up(&database(databases, service)?, None, &mut log(service)).await?;
    }
    Ok(())
}

/// Refuses to go on while a migration is pending.
pub async fn require_current(databases: &Databases, services: &[Service]) -> MigrateResult<()> {
    for &service in services {
        // Only an administrator can look as the owner; without one the ledger is read as the service.
        let address = match databases.administrator(service) {
            Ok(_) => database(databases, service)?,
            Err(_) => Database {
                owner: service.writer().to_owned(),
                ..Database::of(service, databases.logins(service)?.writer)
            },
        };
        let migrator = Migrator::new(migrations(service), MigrateOptions::default())?;
        let standings = migrator.status(&address).await.map_err(|error| {
            format!("{error}. Does the database exist and is it migrated? `estore db migrate up` sees to both.")
        })?;
        let pending = standings.iter().filter(|standing| standing.entry.is_none()).count();
        if pending > 0 {
            let text = format!("{pending} migrations of {service} are pending: run `estore db migrate up` first.");
            return Err(text.into());
        }
    }
    Ok(())
}

/// The databases for one command; the private cluster is started for it when nobody runs it.
pub async fn open(config: &Config, services: &[Service]) -> MigrateResult<(Databases, Option<ClusterAccess>)> {
    let databases = Databases::of(config);
    let cluster = if databases.needs_private(services) {
        require_shop(config)?;
        let cluster = ClusterAccess::open(&config.data_dir, ClusterOptions::default()).await?;
        if matches!(cluster, ClusterAccess::Started(_)) {
            prepare(&databases, services).await?;
        }
        Some(cluster)
    } else {
        None
    };
    Ok((databases, cluster))
}

/// Refuses a data directory without a shop: a mistyped one must not become an empty shop that is all well.
pub fn require_shop(config: &Config) -> MigrateResult<()> {
    if PrivateCluster::exists(&config.data_dir) {
        return Ok(());
    }
    let folder = config.data_dir.display();
    Err(format!("there is no shop under {folder}; name its folder with --data-dir, or make one with `estore up`")
        .into())
}

/// Stops what [`open`] started.
pub async fn close(cluster: Option<ClusterAccess>) -> MigrateResult<()> {
    match cluster {
        Some(cluster) => Ok(cluster.close().await?),
        None => Ok(()),
    }
}

/// Runs a `db migrate` command.
pub async fn run(config: Config, command: Migrate) -> Outcome {
    if let Migrate::New { name, dir } = &command {
        let folder = ops::new(dir, name, jiff::Timestamp::now())?;
        println!("Write {0}/up.sql and {0}/down.sql.", folder.display());
        return Ok(true);
    }
    let databases = Databases::of(&config);
    // A look starts nothing: somebody may be just about to.
    let is_look = matches!(command, Migrate::Status { .. });
    let cluster = if databases.needs_private(&meant(&command)) && !is_look {
        require_shop(&config)?;
        Some(ClusterAccess::open(&config.data_dir, ClusterOptions::default()).await?)
    } else {
        None
    };
    let result = migrate(&databases, &command).await;
    close(cluster).await?;
    result
}

/// What the command says of databases and folders.
fn which(command: &Migrate) -> Option<&Which> {
    match command {
        Migrate::Status { which, .. }
        | Migrate::Up { which, .. }
        | Migrate::Down { which, .. }
        | Migrate::Redo { which, .. }
        | Migrate::Check { which } => Some(which),
        Migrate::New { .. } => None,
    }
}

/// The services whose databases are meant.
fn meant(command: &Migrate) -> Vec<Service> {
    let named = which(command).and_then(|which| which.database);
    named.map_or(Service::ALL.to_vec(), |name| vec![service(name)])
}

async fn migrate(databases: &Databases, command: &Migrate) -> Outcome {
    let Some(which) = which(command) else {
        return Ok(true);
    };
    let services = meant(command);
    if !matches!(command, Migrate::Status { .. }) {
        bootstrap_roles(databases, &services).await?;
    }
    let mut reports = Vec::new();
    for service in services {
        let list = with_folder(service, which)?;
        let migrator = Migrator::new(&list, MigrateOptions::default())?;
        reports.push(one(&migrator, service, databases, command).await?);
    }
    if matches!(command, Migrate::Status { json: true, .. }) {
        println!("{}", json!({ "databases": reports }));
    }
    Ok(true)
}

async fn one(
    migrator: &Migrator<'_>,
    service: Service,
    databases: &Databases,
    command: &Migrate,
) -> MigrateResult<serde_json::Value> {
    let address = database(databases, service)?;
    let progress = &mut print(service);
    match command {
        Migrate::Status { json, .. } => status(migrator, service, &address, *json).await,
        Migrate::Up { to, .. } => {
            let report = migrator.up(&address, *to, progress).await?;
            if report.applied.is_empty() {
                println!("{service}: nothing is pending.");
            }
            Ok(json!(null))
        }
        Migrate::Down { to, destructive, .. } => {
            let back = to.map_or(Back::Steps(1), Back::To);
            let report = migrator.down(&address, back, *destructive, progress).await?;
            if report.reverted.is_empty() {
                println!("{service}: nothing to take back.");
            }
            Ok(json!(null))
        }
        Migrate::Redo { destructive, .. } => {
            migrator.redo(&address, *destructive, progress).await?;
            Ok(json!(null))
        }
        Migrate::Check { .. } => {
            let administrator = databases.administrator(service)?;
            let report =
                ops::check(migrator.migrations(), service, &administrator, super::seeds::of(service), progress).await?;
            println!(
                "{service}: {} migrations go up, down and up again to the same schema and rows.",
                report.checked.len()
            );
            Ok(json!(null))
        }
        Migrate::New { .. } => Ok(json!(null)),
    }
}

async fn status(
    migrator: &Migrator<'_>,
    service: Service,
    address: &Database,
    json: bool,
) -> MigrateResult<serde_json::Value> {
    let standings = migrator.status(address).await?;
    let rows = standings.iter().map(|standing| {
        json!({
            "version": standing.version,
            "name": standing.name,
            "applied_at": standing.entry.as_ref().map(|entry| entry.applied_at.to_string()),
            "known": standing.known,
            "down_loses": standing.destroys,
        })
    });
    let report = json!({ "database": service.name(), "migrations": rows.collect::<Vec<_>>() });
    if !json {
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
        table.set_header([service.name(), "migration", "applied", "the way back loses"]);
        for standing in &standings {
            let applied = standing.entry.as_ref().map_or("pending".to_owned(), |entry| entry.applied_at.to_string());
            let loses = standing.destroys.clone().unwrap_or_else(|| "nothing".to_owned());
            table.add_row([standing.version.to_string(), standing.name.clone(), applied, loses]);
        }
        println!("{table}");
    }
    Ok(report)
}

async fn bootstrap_roles(databases: &Databases, services: &[Service]) -> MigrateResult<()> {
    for (administrator, options) in databases.servers(services)? {
        bootstrap(&administrator, &options).await?;
    }
    Ok(())
}

/// A service's database, as its administrator.
pub fn database(databases: &Databases, service: Service) -> MigrateResult<Database> {
    let mut config = databases.administrator(service)?;
    config.dbname(service.database());
    Ok(Database::of(service, config))
}

/// The built-in migrations and, after them, those of a folder.
fn with_folder(service: Service, which: &Which) -> MigrateResult<Vec<Migration>> {
    let mut list = migrations(service).to_vec();
    if let Some(folder) = &which.dir {
        list.extend(read_folder(folder)?);
    }
    list.sort_by_key(|migration| migration.version);
    Ok(list)
}

fn read_folder(folder: &Path) -> MigrateResult<Vec<Migration>> {
    let entries = std::fs::read_dir(folder)
        .map_err(|error| format!("cannot read the migrations in {}: {error}", folder.display()))?;
    let mut list = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|_| path.is_dir()) else { continue };
        let Some((version, name)) = name.split_once('_') else { continue };
        let version = version.parse().map_err(|_| format!("{} does not begin with YYYYMMDDHHMM_", path.display()))?;
        let read = |file: &str| {
            let path = path.join(file);
            std::fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))
        };
        // Read once in a process that ends soon, and then used like the built-in ones.
        let kept = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
        list.push(Migration {
            version,
            name: kept(name.to_owned()),
            up: kept(read("up.sql")?),
            down: kept(read("down.sql")?),
        });
    }
    Ok(list)
}

fn print(service: Service) -> impl FnMut(Event<'_>) + Send {
    move |event| match event {
        Event::WaitingForRunner => println!("{service}: another runner is at work; waiting for it"),
        Event::Started { direction, version, name, index, total } => {
            println!("{service}: {direction} {version} {name} ({index} of {total})");
        }
        Event::Checking { version, name, index, total } => {
            println!("{service}: proving {version} {name} ({index} of {total})");
        }
        Event::TableLocked { version, attempt } => {
            println!("{service}: {version} gave way to running transactions (attempt {attempt}), trying again");
        }
        Event::Finished { version, duration_ms, .. } => println!("{service}: {version} done in {duration_ms} ms"),
    }
}

fn log(service: Service) -> impl FnMut(Event<'_>) + Send {
    move |event| {
        if let Event::Started { direction: Direction::Up, version, name, .. } = event {
            tracing::info!(%service, version, name, "applying a migration");
        }
    }
}
