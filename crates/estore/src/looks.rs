//! Looks at the databases each hour, stored for `estore db stats --since`.

use std::collections::BTreeSet;
use std::time::Duration;

use estore_ops::monitor::reading::{Question, read};
use estore_ops::monitor::report::keep;
use estore_ops::monitor::statement::Names;
use estore_ops::monitor::{LookError, Looks, Unseen};
use estore_ops::roles::Service;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::databases::Databases;

/// How often the clock is looked at: it may be set, and machines sleep.
const CLOCK_EVERY: Duration = Duration::from_secs(20);

/// Stores a look now and in each new hour, until `stop`: the last of each hour of the day, and of each day of the month.
pub fn start(config: &Config, databases: &Databases, stop: &CancellationToken) -> JoinHandle<()> {
    let (looks, databases, stop) = (Looks::of(&config.data_dir), databases.clone(), stop.clone());
    tokio::spawn(async move {
        tokio::select! {
            () = stop.cancelled() => {}
            () = run(&databases, &looks) => {}
        }
    })
}

async fn run(databases: &Databases, looks: &Looks) {
    let mut taken_in = None;
    loop {
        let hour = Timestamp::now().as_second().div_euclid(3_600);
        if taken_in != Some(hour) {
            taken_in = Some(hour);
            if let Err(error) = take(databases, looks).await {
                tracing::warn!(%error, "a look at the databases cannot be stored");
            }
        }
        tokio::time::sleep(CLOCK_EVERY).await;
    }
}

async fn take(databases: &Databases, looks: &Looks) -> Result<(), LookError> {
    let names = Names::default();
    let addresses = Service::ALL.into_iter().map(|service| {
        let config = databases.monitor(service).map_err(|error| Unseen::new(error.to_string(), ""));
        (service, config)
    });
    // No section: what is counted is read whatever is asked for.
    let question =
        Question { databases: addresses.collect(), sections: BTreeSet::new(), names: &names, evidence_days_min: 0 };
    let readings = read(&question).await;
    let now = Timestamp::now();
    let clock = now.to_zoned(TimeZone::UTC);
    for name in [clock.strftime("hour-%H"), clock.strftime("day-%d")] {
        keep(&readings, looks, &name.to_string(), now)?;
    }
    Ok(())
}
