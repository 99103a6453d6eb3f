//! `estore backup pitr …` and `estore backup mark`: the archive that every moment can be brought back from.

use std::path::PathBuf;

use estore_ops::connection::Connection;
use estore_ops::pitr::{
    self as ops, ArchiveStatus, Archiver, Base, Kind, PgBackRest, SetupOptions, Window, archive_status, instructions,
};
use estore_ops::roles::Service;
use jiff::{Timestamp, ToSpan};
use serde_json::json;

use super::{BackupResult, archive_shown};
use crate::cli::{BaseKind, Pitr};
use crate::commands::migrate;
use crate::config::Config;
use crate::databases::Databases;
use crate::{Outcome, secrets};

/// The file of the passphrase, among the secrets of the data directory.
const PASSPHRASE: &str = "pitr-passphrase";
/// A full base backup is due after so many hours.
const FULL_HOURS_MAX: i64 = 7 * 24;

/// Runs a `backup pitr` command.
pub(super) async fn run(config: &Config, command: Pitr) -> Outcome {
    match command {
        Pitr::Setup { repository, keep_days, json } => set_up(config, repository, keep_days, json).await,
        Pitr::Check { json } => check(config, json).await,
        Pitr::Create { kind, json } => create(config, kind, json).await,
        Pitr::Info { json } => {
            let window = Window::of(&archiver(config)?).await?;
            archive_shown::window(&window, json);
            Ok(true)
        }
    }
}

fn archiver(config: &Config) -> BackupResult<PgBackRest> {
    if !Databases::of(config).needs_private(&Service::ALL) {
        let text = "the databases are on a PostgreSQL of your own, whose archive is looked after there: \
                    `estore backup pitr setup` prints the commands";
        return Err(text.into());
    }
    Ok(ops::archiver_of(&config.data_dir)?)
}

/// The server, for as long as `work` takes.
async fn with_server<T>(config: &Config, work: impl AsyncFnOnce(&Connection) -> BackupResult<T>) -> BackupResult<T> {
    let (databases, cluster) = migrate::open(config, &Service::ALL).await?;
    let worked = async {
        let private = Service::ALL.into_iter().find(|service| databases.is_private(*service));
        let administrator = databases.administrator(private.unwrap_or(Service::Payments))?;
        work(&Connection::open(&administrator).await?).await
    };
    let worked = worked.await;
    migrate::close(cluster).await?;
    worked
}

async fn set_up(config: &Config, repository: Option<PathBuf>, keep_days: Option<u32>, as_json: bool) -> Outcome {
    let named = repository.or_else(|| config.backup.pitr.repository.clone());
    let repository = named.ok_or(
        "say where the archive is kept, best on another disk: --repository FOLDER, or backup.pitr.repository in the \
         configuration",
    )?;
    let keep_days = keep_days.unwrap_or(config.backup.pitr.keep_days).max(1);
    if !Databases::of(config).needs_private(&Service::ALL) {
        print!("{}", instructions(&repository, keep_days));
        return Ok(true);
    }
    migrate::require_shop(config)?;
    let passphrase = secrets::read_or_make(&config.data_dir, PASSPHRASE)?;
    let repository = std::path::absolute(repository)?;
    let archiver = ops::set_up(&config.data_dir, &SetupOptions { repository, passphrase, keep_days })?;
    let status = with_server(config, async |server| {
        server.batch_execute("SELECT pg_reload_conf()").await?;
        archiver.prepare().await?;
        let status = archive_status(server).await?;
        if status.is_on {
            archiver.check().await?;
            if archiver.bases().await?.is_empty() {
                archiver.create(Kind::Full).await?;
            }
        }
        Ok(status)
    })
    .await?;
    archive_shown::set_up(archiver.repository(), &config.data_dir.join("secrets").join(PASSPHRASE), &status, as_json);
    Ok(true)
}

async fn check(config: &Config, as_json: bool) -> Outcome {
    let archiver = archiver(config)?;
    let (checked, status) = with_server(config, async |server| {
        let status = archive_status(server).await?;
        let checked = if status.is_on { archiver.check().await } else { Ok(()) };
        Ok((checked, archive_status(server).await?))
    })
    .await?;
    archive_shown::archiving(&status, as_json);
    checked?;
    if !status.is_on {
        return Err("the server does not archive yet: restart estore, which takes the settings up".into());
    }
    Ok(true)
}

async fn create(config: &Config, kind: Option<BaseKind>, as_json: bool) -> Outcome {
    let archiver = archiver(config)?;
    let kind = match kind {
        Some(BaseKind::Full) => Kind::Full,
        Some(BaseKind::Diff) => Kind::Differential,
        None => due(&archiver.bases().await?, Timestamp::now()),
    };
    let bases = with_server(config, async |server| {
        refuse_silence(&archive_status(server).await?)?;
        archiver.create(kind).await?;
        Ok(archiver.bases().await?)
    })
    .await?;
    let taken = bases.last().ok_or("the base backup that was taken is not there")?;
    archive_shown::base(taken, as_json);
    Ok(true)
}

/// `estore backup mark`.
pub(super) async fn mark(config: &Config, name: &str, as_json: bool) -> Outcome {
    let archiver = archiver(config)?;
    let mark = with_server(config, async |server| {
        refuse_silence(&archive_status(server).await?)?;
        Ok(ops::mark(&archiver, server, name).await?)
    })
    .await?;
    if as_json {
        println!("{}", json!(mark));
    } else {
        println!(
            "{} is {} ({}). To go back to it: estore backup restore --to {}",
            mark.name, mark.at, mark.lsn, mark.name
        );
    }
    Ok(true)
}

fn refuse_silence(status: &ArchiveStatus) -> BackupResult<()> {
    if status.is_on { Ok(()) } else { Err("the server does not archive yet: restart estore first".into()) }
}

/// What kind the next base backup is.
pub fn due(bases: &[Base], now: Timestamp) -> Kind {
    let oldest = now - FULL_HOURS_MAX.hours();
    let has_full = bases.iter().any(|base| base.kind == Kind::Full && !base.damaged && base.whole_at > oldest);
    if has_full { Kind::Differential } else { Kind::Full }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_one_is_due_each_week() {
        let now: Timestamp = "2026-11-25T02:00:00Z".parse().unwrap();
        let base = |kind, days: i64, damaged| Base {
            label: String::new(),
            kind,
            whole_at: now - (days * 24).hours(),
            whole_at_lsn: "0/1".parse().unwrap(),
            bytes: 0,
            stored_bytes: 0,
            damaged,
        };
        assert_eq!(due(&[], now), Kind::Full);
        assert_eq!(due(&[base(Kind::Full, 6, false)], now), Kind::Differential);
        assert_eq!(due(&[base(Kind::Full, 6, true)], now), Kind::Full);
        assert_eq!(due(&[base(Kind::Full, 7, false), base(Kind::Differential, 1, false)], now), Kind::Full);
    }
}
