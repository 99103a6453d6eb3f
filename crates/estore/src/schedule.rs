//! What the server does by the clock, and the backups among it.

pub mod bases;

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use croner::Cron;
use estore_ops::backup::{
    self as ops, BackupError, BackupOptions, FenceOptions, FencePolicy, Recipients, Retention, Source, Target,
};
use estore_ops::roles::Service;
use jiff::{Timestamp, Zoned};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::commands::backup::signing_key;
use crate::config::Config;
use crate::databases::Databases;

/// Each night at three, for backups.
pub const NIGHTLY: &str = "0 3 * * *";
/// Each night at four, for maintenance, which keeps out of a backup's way.
pub const NIGHTLY_MAINTENANCE: &str = "0 4 * * *";
/// What turns the schedule off.
const NEVER: &str = "never";
/// How often a backup that failed is tried before the next is due.
const TRIES_MAX: u32 = 3;
/// The pause before it is tried again.
const PAUSE: Duration = Duration::from_secs(600);
/// How often the clock is looked at: it may be set, and machines sleep.
const LOOK_EVERY: Duration = Duration::from_secs(20);

/// Everything a backup needs.
struct Plan {
    cron: Cron,
    sources: Vec<Source>,
    target: Target,
    options: BackupOptions,
    retention: Retention,
}

/// Takes backups as the configuration says, or by `default` where it names no time, until `stop`. Nothing is done
/// without a target and a recipient.
pub fn start(
    config: &Config,
    databases: &Databases,
    stop: &CancellationToken,
    default: Option<&str>,
) -> Result<Option<JoinHandle<()>>, Box<dyn std::error::Error>> {
    let backup = &config.backup;
    let Some(cron) = times("backup", backup.schedule.as_deref().or(default))? else { return Ok(None) };
    let (Some(url), false) = (&backup.target, backup.recipients.is_empty()) else {
        if backup.schedule.is_some() {
            return Err("backup.schedule needs backup.target and backup.recipients".into());
        }
        return Ok(None);
    };
    let sources: Result<Vec<Source>, _> = Service::ALL.into_iter().map(|service| databases.backup(service)).collect();
    let plan = Plan {
        cron,
        sources: sources?,
        target: Target::open(url, std::env::vars())?,
        options: BackupOptions {
            recipients: Recipients::parse(backup.recipients.iter().map(String::as_str))?,
            // A backup without a fence is better than none; the log tells.
            fence: FenceOptions { policy: FencePolicy::Preferred, ..FenceOptions::default() },
            signer: Arc::new(signing_key(config)?),
            compression_level: 3,
            estore_version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        retention: Retention { keep_days: backup.keep_days, keep_sets: backup.keep_sets },
    };
    let stop = stop.clone();
    Ok(Some(tokio::spawn(async move {
        tokio::select! {
            // What is under way is given up: without its manifest it is no backup.
            () = stop.cancelled() => {}
            () = plan.run(&stop) => {}
        }
    })))
}

/// The times of a pattern in cron's syntax, the value of `<section>.schedule`; none for `never` and where there is none.
pub fn times(section: &str, pattern: Option<&str>) -> Result<Option<Cron>, String> {
    let Some(pattern) = pattern.filter(|pattern| *pattern != NEVER) else { return Ok(None) };
    let parsed = pattern.parse().map(Some);
    parsed.map_err(|error| format!("{section}.schedule {pattern:?} is not cron's syntax: {error}"))
}

/// Waits for the next of these times; `false` once there is none, or at `stop`.
pub async fn wait_for_next(cron: &Cron, section: &str, stop: &CancellationToken) -> bool {
    let next = match cron.find_next_occurrence(&Zoned::now(), false) {
        Ok(next) => next,
        Err(error) => {
            tracing::error!(section, %error, "a schedule has no next time");
            return false;
        }
    };
    tracing::info!(section, %next, "the next run is planned");
    while Timestamp::now() < next.timestamp() {
        let left = next.timestamp().duration_since(Timestamp::now());
        tokio::select! {
            () = stop.cancelled() => return false,
            () = tokio::time::sleep(Duration::try_from(left).unwrap_or_default().min(LOOK_EVERY)) => {}
        }
    }
    true
}

/// Waits for the end of a schedule.
pub async fn end(planned: Option<JoinHandle<()>>) {
    if let Some(planned) = planned
        && let Err(error) = planned.await
    {
        tracing::error!(%error, "a schedule ended badly");
    }
}

impl Plan {
    async fn run(&self, stop: &CancellationToken) {
        while wait_for_next(&self.cron, "backup", stop).await {
            for tries in 1..=TRIES_MAX {
                match self.once().await {
                    Ok(()) => break,
                    Err(error) => tracing::error!(%error, cause = error.source(), tries, "a planned backup failed"),
                }
                if tries < TRIES_MAX {
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    async fn once(&self) -> Result<(), BackupError> {
        let created = ops::create(&self.sources, &self.target, &self.options, &ops::silent).await?;
        let (manifest, millis) = (&created.manifest, created.elapsed.as_millis());
        if !manifest.fence.held {
            tracing::warn!(id = manifest.id, "a backup shows moments that lie a little apart: writers ran on too long");
        }
        tracing::info!(id = manifest.id, bytes = manifest.bytes(), millis, "a backup was taken");
        let gone = ops::prune(&self.target, self.retention, Timestamp::now(), false).await?;
        for set in gone {
            tracing::info!(id = set.id, "an old backup was removed");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use croner::Cron;
    use jiff::Zoned;
    use tokio_util::sync::CancellationToken;

    use crate::config::Config;
    use crate::databases::Databases;

    #[tokio::test]
    async fn it_is_off_unless_somebody_says_when() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config { data_dir: folder.path().to_owned(), ..Config::default() };
        let stop = CancellationToken::new();
        let started = |config: &Config, default| super::start(config, &Databases::of(config), &stop, default);
        assert!(started(&config, Some(super::NIGHTLY)).unwrap().is_none(), "`up` without a target");
        config.backup.target = Some(format!("file://{}", folder.path().join("target").display()));
        config.backup.recipients = vec![age_recipient(folder.path())];
        assert!(started(&config, None).unwrap().is_none(), "`serve` without a schedule");
        assert!(started(&config, Some(super::NIGHTLY)).unwrap().is_some());
        config.backup.schedule = Some("never".to_owned());
        assert!(started(&config, Some(super::NIGHTLY)).unwrap().is_none());
        config.backup.schedule = Some("at noon".to_owned());
        assert!(started(&config, None).unwrap_err().to_string().contains("cron's syntax"));
        stop.cancel();
    }

    fn age_recipient(folder: &std::path::Path) -> String {
        estore_ops::backup::generate_identity(&folder.join("identity")).unwrap()
    }

    #[test]
    fn nightly_is_at_three() {
        let cron: Cron = super::NIGHTLY.parse().unwrap();
        let now: Zoned = "2026-11-22T12:00:00[Europe/Berlin]".parse().unwrap();
        let next = cron.find_next_occurrence(&now, false).unwrap();
        assert_eq!(next.to_string(), "2026-11-23T03:00:00+01:00[Europe/Berlin]");
    }
}
