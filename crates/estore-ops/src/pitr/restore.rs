//! Brings the server back as it was at a moment, into a data directory of its own.

use std::path::{Path, PathBuf};

use estore_kit::secret::Secret;
use jiff::Timestamp;
use tokio::time::Instant;

use super::archiver::{Archiver, Base};
use super::choice::Window;
use super::error::PitrError;
use super::moment::Moment;
use super::pgbackrest::PgBackRest;
use super::setup::{ARCHIVE, SetupOptions, write_archiver};
use crate::backup::restore::fresh_folder;
use crate::backup::{BackupEvent, BackupProgress};
use crate::connection::Connection;
use crate::postgres::account::Account;
use crate::postgres::layout::{Layout, check_passage};
use crate::postgres::settings::ARCHIVE_CONF;
use crate::postgres::{ClusterOptions, PrivateCluster};
use crate::roles::ADMINISTRATOR;

/// How long the log may be replayed, in seconds: as long as it takes; a server that gives up says so at once.
const REPLAY_SECONDS_MAX: u64 = 7 * 24 * 60 * 60;
/// What only the way back needs.
const RECOVERY_SETTINGS: [&str; 7] = [
    "restore_command",
    "recovery_target_time",
    "recovery_target_lsn",
    "recovery_target_name",
    "recovery_target_action",
    "hot_standby",
    "archive_mode",
];

/// Where the history is kept.
#[derive(Clone)]
pub struct RecoverOptions {
    /// The repository.
    pub repository: PathBuf,
    /// What it is encrypted with.
    pub passphrase: Secret,
}

/// What was brought back.
#[derive(Debug, Clone)]
pub struct Recovered {
    /// The base backup that the log was replayed from.
    pub base: Base,
    /// The last transaction in it; none where the base backup was all there was.
    pub committed_at: Option<Timestamp>,
    /// From nothing to databases that answer, in milliseconds.
    pub millis: u64,
}

impl Window {
    /// What an archiver can bring back.
    ///
    /// # Errors
    /// Those of the archiver.
    pub async fn of(archiver: &dyn Archiver) -> Result<Self, PitrError> {
        Ok(Self { bases: archiver.bases().await?, reach: archiver.reach().await?, marks: archiver.marks()? })
    }
}

/// Brings all databases back as they were at a moment, into the private PostgreSQL of a data directory that has none
/// yet. The moment is looked for before anything is begun. A cut one never looks like a whole one.
///
/// # Errors
/// [`PitrError::Outside`], with what can be brought back; otherwise [`PitrError`], and what was begun is removed.
pub async fn recover_into(
    data_dir: &Path,
    moment: &Moment,
    options: &RecoverOptions,
    progress: BackupProgress<'_>,
) -> Result<Recovered, PitrError> {
    let begun = Instant::now();
    if data_dir.join("postgres/data").exists() {
        return Err(PitrError::InTheWay { data_dir: data_dir.to_owned() });
    }
    let is_new = !data_dir.exists();
    let home = fresh_folder(data_dir).await?;
    let result = Box::pin(grow(&home, moment, options, progress)).await;
    if result.is_ok() {
        let (grown, place) = (home.join("postgres"), data_dir.join("postgres"));
        std::fs::rename(&grown, &place).map_err(PitrError::file("put in place", &place))?;
    }
    if home.exists() {
        std::fs::remove_dir_all(&home).map_err(PitrError::file("remove", &home))?;
    }
    if result.is_err() && is_new {
        // Whoever put something there meanwhile keeps it.
        drop(std::fs::remove_dir(data_dir));
    }
    let (base, committed_at) = result?;
    let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Recovered { base, committed_at, millis })
}

async fn grow(
    home: &Path,
    moment: &Moment,
    options: &RecoverOptions,
    progress: BackupProgress<'_>,
) -> Result<(Base, Option<Timestamp>), PitrError> {
    let repository = options.repository.canonicalize().map_err(PitrError::file("find", &options.repository))?;
    let layout = Layout::make(home)?;
    let account = Account::choose(&layout.data)?;
    layout.prepare(&account)?;
    check_passage(&account, &repository)?;
    let settings =
        SetupOptions { repository: repository.clone(), passphrase: options.passphrase.clone(), keep_days: 1 };
    let archive = write_archiver(&layout, &account, &repository, &settings)?;
    let archiver = PgBackRest::new(&archive, repository, account.clone())?;
    let window = Window::of(&archiver).await?;
    let base = window.choose(moment)?;
    layout.give(&account, &layout.data)?;
    progress(BackupEvent::LevelStarted { name: "base backup" });
    archiver.bring(base, moment, &layout.data).await?;
    // What comes back archives nowhere: its history belongs to the server that it came from.
    let sends = layout.data.join(ARCHIVE_CONF);
    if sends.exists() {
        std::fs::remove_file(&sends).map_err(PitrError::file("remove", &sends))?;
    }
    progress(BackupEvent::LevelStarted { name: "replay of the log" });
    let waits = ClusterOptions { ready_seconds_max: REPLAY_SECONDS_MAX, ..ClusterOptions::default() };
    let cluster = Box::pin(PrivateCluster::start(home, waits)).await?;
    let settled = settle(&cluster).await;
    cluster.stop().await?;
    let committed_at = settled?;
    progress(BackupEvent::LevelFinished { name: "replay of the log", passed: true });
    let archive = layout.home.join(ARCHIVE);
    std::fs::remove_dir_all(&archive).map_err(PitrError::file("remove", &archive))?;
    Ok((base.clone(), committed_at))
}

/// The server answers, so it has reached the moment and is one of its own; answers its last transaction.
async fn settle(cluster: &PrivateCluster) -> Result<Option<Timestamp>, PitrError> {
    let failed = || PitrError::database("look at what was brought back");
    let server = Connection::open(&cluster.config_for("postgres", ADMINISTRATOR)).await.map_err(failed())?;
    let row = server.query_one("SELECT pg_last_xact_replay_timestamp()", &[]).await.map_err(failed())?;
    for setting in RECOVERY_SETTINGS {
        // Not all at once: it may not stand in a transaction with others.
        server.batch_execute(&format!("ALTER SYSTEM RESET {setting}")).await.map_err(failed())?;
    }
    Ok(row.get(0))
}
