//! `estore up`: everything in one process on a private PostgreSQL.

use std::net::SocketAddr;
use std::sync::Arc;

use estore_kit::edge::{Door, listen, serve};
use estore_ops::postgres::{ClusterOptions, PrivateCluster};
use estore_ops::roles::Service;
use estore_users::Users;
use tokio_util::sync::CancellationToken;

use super::migrate;
use crate::config::Config;
use crate::databases::Databases;
use crate::services::Services;
use crate::{Outcome, demo, looks, maintenance, schedule, sealing, secrets, stop};

/// Who the first administrator is.
const FIRST_ADMINISTRATOR: &str = "admin@estore.example";

/// Runs until Ctrl-C or SIGTERM, then stops everything it started.
pub async fn run(mut config: Config, listen: Option<SocketAddr>, with_demo: bool) -> Outcome {
    let stop = stop::on_signal()?;
    config.listen = listen.unwrap_or(config.listen);
    // Taken first: a busy address is told before a database is made.
    let door = listen_on(&mut config)?;
    let databases = Databases::of(&config);
    let cluster = if databases.needs_private(&Service::ALL) {
        Some(Arc::new(PrivateCluster::start(&config.data_dir, ClusterOptions::default()).await?))
    } else {
        None
    };
    let result = serve_all(&config, cluster.clone(), door, &stop, with_demo).await;
    if let Some(cluster) = cluster {
        cluster.stop().await?;
    }
    result
}

/// Binds the address, with the certificate that is shown there; with port 0, the port that was given is put in the
/// configuration.
pub fn listen_on(config: &mut Config) -> Result<Door, Box<dyn std::error::Error>> {
    let tls = config.tls.open()?;
    let listener = listen(config.listen)
        .map_err(|error| format!("cannot listen on {}: {error}. Choose another with --listen.", config.listen))?;
    config.listen = listener.local_addr()?;
    Ok(Door { listener, tls })
}

async fn serve_all(
    config: &Config,
    cluster: Option<Arc<PrivateCluster>>,
    door: Door,
    stop: &CancellationToken,
    with_demo: bool,
) -> Outcome {
    let databases = &Databases::of(config);
    let watched = cluster.clone().map(|cluster| {
        let stop = stop.clone();
        tokio::spawn(async move { cluster.watch(async move { stop.cancelled().await }).await })
    });
    migrate::prepare(databases, &Service::ALL).await?;
    let services = Services::start(&Service::ALL, config, databases).await?;
    if let Some(users) = &services.users {
        first_administrator(users).await?;
    }
    if with_demo && let Some(inventory) = &services.inventory {
        demo::fill(inventory).await?;
    }
    let backups = schedule::start(config, databases, stop, Some(schedule::NIGHTLY))?;
    let upkeep = maintenance::start(config, databases, stop, Some(schedule::NIGHTLY_MAINTENANCE))?;
    let bases = if cluster.is_some() { schedule::bases::start(config, databases, stop)? } else { None };
    let looking = looks::start(config, databases, stop);
    let sealing = sealing::start(config, databases, &Service::ALL, stop)?;
    print_addresses(config, cluster.is_some());
    run_services(config, &services, door, stop, cluster.is_some()).await?;
    schedule::end(backups).await;
    schedule::end(upkeep).await;
    schedule::end(bases).await;
    schedule::end(Some(looking)).await;
    schedule::end(Some(sealing)).await;
    if let Some(watched) = watched {
        drop(watched.await);
    }
    Ok(true)
}

/// Serves until `stop`, then lets requests and background work finish.
pub async fn run_services(
    config: &Config,
    services: &Services,
    door: Door,
    stop: &CancellationToken,
    alone: bool,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut rules = config.rules()?;
    rules.rates = services.rates(config)?.map(Arc::new);
    let limits = rules.limits.clone();
    let inner = if services.has_neighbours() { config.services.door()? } else { None };
    let site = services.site(rules.clone(), inner.is_none());
    let jobs_stop = CancellationToken::new();
    let mut jobs = services.run_jobs(&jobs_stop, alone);
    if let Some(tls) = door.tls.clone() {
        jobs.spawn(tls.watch(jobs_stop.clone()));
    }
    tracing::info!(listen = %config.listen, "serving");
    let served_inside = async {
        if let Some(inner) = inner {
            if let Some(tls) = inner.tls.clone() {
                jobs.spawn(tls.watch(jobs_stop.clone()));
            }
            serve(inner, services.site(rules, true), limits.clone(), stop.cancelled()).await;
        }
    };
    tokio::join!(serve(door, site, limits.clone(), stop.cancelled()), served_inside);
    jobs_stop.cancel();
    jobs.join_all().await;
    services.close();
    Ok(())
}

async fn first_administrator(users: &Users) -> Result<(), Box<dyn std::error::Error>> {
    if users.has_admin().await? {
        return Ok(());
    }
    let password = secrets::random();
    users.create_admin_once(FIRST_ADMINISTRATOR, password.reveal()).await?;
    println!("First administrator   {FIRST_ADMINISTRATOR}");
    println!("One-time password     {}", password.reveal());
    println!("                      It is not shown again. The first log-in brings the password that takes its place:");
    println!("                      POST /v1/tokens {{\"email\", \"password\", \"new_password\"}}");
    Ok(())
}

fn print_addresses(config: &Config, private: bool) {
    let url = config.public_url();
    println!("Shop API              {url}/v1/products");
    println!("API documentation     {url}/docs");
    println!("Health                {url}/health/ready");
    println!("Mail                  {}", config.data_dir.join("mail").display());
    if private {
        println!("PostgreSQL            private, under {}", config.data_dir.display());
    }
    println!("Stop with Ctrl-C.");
}
