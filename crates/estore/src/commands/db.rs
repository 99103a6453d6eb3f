//! `estore db run|url|migrate|maintain|partition|stats`.

use std::sync::Arc;

use estore_ops::postgres::{ClusterOptions, PrivateCluster};
use estore_ops::roles::Service;

use super::{maintain, migrate, partition, stats};
use crate::cli::{DatabaseName, Db};
use crate::config::Config;
use crate::databases::Databases;
use crate::{Outcome, looks, schedule, secrets, stop};

/// The service whose database was named.
pub fn service(name: DatabaseName) -> Service {
    match name {
        DatabaseName::Users => Service::Users,
        DatabaseName::Inventory => Service::Inventory,
        DatabaseName::Payments => Service::Payments,
    }
}

/// Runs a `db` command.
pub async fn run(config: Config, command: Db) -> Outcome {
    match command {
        Db::Run => run_cluster(config).await,
        Db::Url { database, role } => {
            println!("{}", Databases::of(&config).url(service(database), role.as_deref())?);
            Ok(true)
        }
        Db::Migrate(command) => migrate::run(config, command).await,
        Db::Maintain(wish) => Box::pin(maintain::run(config, wish)).await,
        Db::Partition(command) => Box::pin(partition::run(config, command)).await,
        Db::Stats(asked) => Box::pin(stats::run(config, asked)).await,
    }
}

async fn run_cluster(config: Config) -> Outcome {
    let stop = stop::on_signal()?;
    let cluster = Arc::new(PrivateCluster::start(&config.data_dir, ClusterOptions::default()).await?);
    let databases = Databases::of(&config);
    let result = migrate::prepare(&databases, &Service::ALL).await;
    if result.is_ok() {
        // Services in processes of their own share it; made here, before any of them looks.
        secrets::read_or_make(&config.data_dir, "service-secret")?;
        println!("PostgreSQL runs under {}. Stop with Ctrl-C.", config.data_dir.display());
        let bases = schedule::bases::start(&config, &databases, &stop)?;
        let looking = looks::start(&config, &databases, &stop);
        cluster.watch(async move { stop.cancelled().await }).await;
        schedule::end(bases).await;
        schedule::end(Some(looking)).await;
    }
    cluster.stop().await?;
    result.map(|()| true)
}
