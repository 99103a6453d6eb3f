//! Maintenance by the clock, done by the server itself.

use std::error::Error as _;
use std::sync::Arc;

use estore_ops::backup::SigningKey;
use estore_ops::maintain::{Ending, MaintainError, MaintainOptions, Report, Site, maintain};
use estore_ops::roles::Service;
use jiff::Zoned;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{MaintenanceConfig, Opening, sites};
use crate::config::Config;
use crate::databases::Databases;
use crate::{schedule, sealing};

/// Does what is due as the configuration says, or by `default` where it names no time, until `stop`.
pub fn start(
    config: &Config,
    databases: &Databases,
    stop: &CancellationToken,
    default: Option<&str>,
) -> Result<Option<JoinHandle<()>>, Box<dyn std::error::Error>> {
    let Some(cron) = schedule::times("maintenance", config.maintenance.schedule.as_deref().or(default))? else {
        return Ok(None);
    };
    // Only who may become the owner can maintain. Without such an address a default is no order.
    let sites = match sites(config, databases, &Service::ALL) {
        Ok(sites) => sites,
        Err(error) if config.maintenance.schedule.is_none() => {
            tracing::info!(%error, "no maintenance is planned");
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    let (settings, stop, key_file) = (config.maintenance.clone(), stop.clone(), sealing::key_file(config)?);
    Ok(Some(tokio::spawn(async move {
        // The statement under way is stopped in good order, so it is waited for.
        while schedule::wait_for_next(&cron, "maintenance", &stop).await {
            match SigningKey::read_or_make(&key_file) {
                Ok(key) => once(&sites, (&settings, &Arc::new(key)), &stop).await,
                Err(error) => tracing::error!(%error, "no maintenance without the key of seals"),
            }
        }
    })))
}

async fn once(sites: &[Site], (settings, key): (&MaintenanceConfig, &Arc<SigningKey>), stop: &CancellationToken) {
    let mut options = MaintainOptions { sealing_key: Some(Arc::clone(key)), ..settings.options() };
    match settings.window.at(&Zoned::now()) {
        Opening::Shut => {
            let window = settings.window;
            return tracing::error!(%window, "maintenance.schedule lies outside of maintenance.window: nothing is done");
        }
        Opening::Open(until) => options.until = until.map(|until| until.timestamp()),
    }
    match Box::pin(maintain(sites, &options, stop, &|_event| {})).await {
        Ok(reports) => reports.iter().for_each(log),
        Err(error @ MaintainError::Busy { .. }) => tracing::info!(%error, "no maintenance this time"),
        Err(error) => tracing::error!(%error, cause = error.source(), "maintenance failed"),
    }
}

fn log(report: &Report) {
    let Report { database, action, ending, millis } = report;
    let (what, of, why) = (action.verb, &action.target, &action.why);
    match ending {
        Ending::Done { brought } => tracing::info!(database, what, of, why, millis, brought, "maintained"),
        Ending::GaveWay { to } => tracing::warn!(database, what, of, why, millis, to, "maintenance gave way"),
        Ending::Failed { because } => tracing::error!(database, what, of, why, because, "maintenance failed"),
        Ending::Stopped | Ending::Planned => tracing::info!(database, what, of, why, "left for the next time"),
    }
}

#[cfg(test)]
mod tests {
    use croner::Cron;

    use super::super::Window;
    use super::*;

    #[test]
    fn the_default_times_lie_in_the_default_window() {
        let cron: Cron = schedule::NIGHTLY_MAINTENANCE.parse().unwrap();
        let now: Zoned = "2026-11-22T12:00:00[Europe/Berlin]".parse().unwrap();
        let next = cron.find_next_occurrence(&now, false).unwrap();
        assert_eq!(next.to_string(), "2026-11-23T04:00:00+01:00[Europe/Berlin]");
        assert_ne!(Window::default().at(&next), Opening::Shut);
    }
}
