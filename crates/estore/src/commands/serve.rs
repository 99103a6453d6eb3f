//! `estore serve`: one service, or all in one process, on databases that are already migrated.

mod waiting;

use std::net::SocketAddr;

use estore_ops::roles::Service;

use self::waiting::Start;
use super::up;
use crate::cli::ServeWhat;
use crate::config::Config;
use crate::databases::Databases;
use crate::{Outcome, looks, maintenance, schedule, sealing, stop};

/// Runs until Ctrl-C or SIGTERM.
pub async fn run(mut config: Config, what: ServeWhat, listen: Option<SocketAddr>) -> Outcome {
    let services: &[Service] = match what {
        ServeWhat::Users => &[Service::Users],
        ServeWhat::Inventory => &[Service::Inventory],
        ServeWhat::Payments => &[Service::Payments],
        ServeWhat::All => &Service::ALL,
    };
    let stop = stop::on_signal()?;
    config.listen = listen.unwrap_or(config.listen);
    let door = up::listen_on(&mut config)?;
    let databases = Databases::of(&config);
    let start = Start { what: services, config: &config, databases: &databases };
    let Some((running, door)) = start.run(door, &stop).await? else { return Ok(true) };
    // Only a process that knows all three databases can take them at one moment.
    let (mut backups, mut upkeep, mut looking) = (None, None, None);
    if what == ServeWhat::All {
        backups = schedule::start(&config, &databases, &stop, None)?;
        upkeep = maintenance::start(&config, &databases, &stop, None)?;
        looking = Some(looks::start(&config, &databases, &stop));
    }
    let sealing = sealing::start(&config, &databases, services, &stop)?;
    up::run_services(&config, &running, door, &stop, false).await?;
    schedule::end(backups).await;
    schedule::end(upkeep).await;
    schedule::end(looking).await;
    schedule::end(Some(sealing)).await;
    Ok(true)
}
