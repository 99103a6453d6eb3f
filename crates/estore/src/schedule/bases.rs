//! Base backups by the clock, and an eye on the archive, where the private PostgreSQL archives.

use std::error::Error as _;
use std::time::Duration;

use croner::Cron;
use estore_ops::connection::Connection;
use estore_ops::pitr::{self as ops, ArchiveStatus, Archiver, PgBackRest, archive_status};
use estore_ops::roles::Service;
use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio_postgres::Config as Connect;
use tokio_util::sync::CancellationToken;

use super::{times, wait_for_next};
use crate::commands::backup::due;
use crate::config::Config;
use crate::databases::Databases;

const SECTION: &str = "backup.pitr";
/// Each night at two: before the dumps.
const NIGHTLY: &str = "0 2 * * *";
/// How often the archive is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// The archive of the private PostgreSQL that this process keeps.
struct Keeper {
    cron: Option<Cron>,
    archiver: PgBackRest,
    administrator: Connect,
}

/// Takes base backups as the configuration says, and tells of an archive that fails, until `stop`. Nothing is done where
/// archiving is not set up.
pub fn start(
    config: &Config,
    databases: &Databases,
    stop: &CancellationToken,
) -> Result<Option<JoinHandle<()>>, Box<dyn std::error::Error>> {
    if !ops::is_set_up(&config.data_dir) {
        return Ok(None);
    }
    let cron = times(SECTION, config.backup.pitr.schedule.as_deref().or(Some(NIGHTLY)))?;
    let private = Service::ALL.into_iter().find(|service| databases.is_private(*service));
    let keeper = Keeper {
        cron,
        archiver: ops::archiver_of(&config.data_dir)?,
        administrator: databases.administrator(private.unwrap_or(Service::Payments))?,
    };
    let stop = stop.clone();
    Ok(Some(tokio::spawn(async move {
        tokio::select! {
            // A base backup that is given up is none; the next one clears it away.
            () = stop.cancelled() => {}
            () = keeper.watch() => {}
            () = keeper.take(&stop) => {}
        }
    })))
}

impl Keeper {
    async fn take(&self, stop: &CancellationToken) {
        while let Some(cron) = &self.cron
            && wait_for_next(cron, SECTION, stop).await
        {
            let taken = async {
                let kind = due(&self.archiver.bases().await?, Timestamp::now());
                self.archiver.create(kind).await.map(|()| kind)
            };
            match taken.await {
                Ok(kind) => tracing::info!(%kind, "a base backup was taken"),
                Err(error) => tracing::error!(%error, cause = error.source(), "a planned base backup failed"),
            }
        }
        // Without a schedule the archive is still looked at.
        std::future::pending::<()>().await;
    }

    /// The shop goes on while its archive fails, but not silently: the log fills the disk in the end.
    async fn watch(&self) {
        let mut was_failing = false;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let Ok(server) = Connection::open(&self.administrator).await else { continue };
            let Ok(status) = archive_status(&server).await else { continue };
            let fault = fault(&status);
            match (&fault, was_failing) {
                (Some(fault), _) => tracing::error!(fault, "archiving fails; see `estore doctor`"),
                (None, true) => tracing::info!("archiving works again"),
                (None, false) => {}
            }
            was_failing = fault.is_some();
        }
    }
}

/// Segments may wait so long before it is a fault, in seconds.
const LAG_SECONDS_MAX: i64 = 300;

/// What is wrong with archiving where it is set up, in words.
pub fn fault(status: &ArchiveStatus) -> Option<String> {
    let waiting = || {
        let mib = status.wal_bytes / 1024 / 1024;
        format!("{} segments wait, the oldest for {} s; the log takes {mib} MiB", status.waiting, status.lag_seconds)
    };
    if !status.is_on {
        Some("it is set up, but the server runs without it".to_owned())
    } else if status.is_failing() {
        let segment = status.last_failed.as_deref().unwrap_or_default();
        Some(format!("{segment} could not be sent; {}", waiting()))
    } else if status.lag_seconds > LAG_SECONDS_MAX {
        Some(waiting())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told() {
        let well = ArchiveStatus {
            is_on: true,
            needs_restart: false,
            timeout_seconds: 30,
            archived_count: 3,
            last_archived: Some("000000010000000000000003".to_owned()),
            last_archived_at: Some("2026-11-25T12:00:00Z".parse().unwrap()),
            failed_count: 1,
            last_failed: Some("000000010000000000000002".to_owned()),
            last_failed_at: Some("2026-11-25T11:00:00Z".parse().unwrap()),
            waiting: 0,
            lag_seconds: 0,
            wal_bytes: 32 << 20,
        };
        assert_eq!(fault(&well), None, "it failed once and works again");
        let failing = ArchiveStatus { last_failed_at: Some("2026-11-25T12:00:01Z".parse().unwrap()), ..well.clone() };
        assert!(fault(&failing).unwrap().contains("000000010000000000000002 could not be sent"));
        assert!(fault(&ArchiveStatus { lag_seconds: 301, waiting: 9, ..well.clone() }).unwrap().contains("9 segments"));
        assert!(fault(&ArchiveStatus { is_on: false, ..failing }).unwrap().contains("runs without it"));
    }
}
