//! Takes a backup.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use tokio_postgres::Config;

use super::error::BackupError;
use super::fence::{Fence, FenceOptions, Snapshot, snapshots};
use super::keys::Recipients;
use super::manifest::{Contents, DatabaseBackup, FORMAT, Manifest, StoredFile, publish};
use super::pipeline::{Encoding, store_output};
use super::progress::{BackupEvent, BackupProgress};
use super::signature::SigningKey;
use super::store::Target;
use super::{contents, globals, program};
use crate::audit::{self, Head};
use crate::postgres::{Binaries, discover};
use crate::roles::Service;

/// How long `pg_dump` waits for a table that is being changed, in milliseconds.
const TABLE_WAIT_MS_MAX: u32 = 30_000;

/// A database to back up.
#[derive(Debug, Clone)]
pub struct Source {
    /// Whose it is.
    pub service: Service,
    /// Its name on its server.
    pub database: String,
    /// How it is dumped: as a role that reads every row.
    pub dump: Config,
    /// How its writers are held back: as an owner of its tables, or the administrator.
    pub fence: Config,
}

/// How a backup is taken.
#[derive(Debug, Clone)]
pub struct BackupOptions {
    /// Who may read it.
    pub recipients: Recipients,
    /// Whether writers are held back while the snapshots are taken.
    pub fence: FenceOptions,
    /// Who vouches for it.
    pub signer: Arc<SigningKey>,
    /// zstd's level, 1 to 19.
    pub compression_level: i32,
    /// The EStore that takes it.
    pub estore_version: String,
}

/// A backup that was taken.
#[derive(Debug, Clone)]
pub struct Created {
    /// What it holds.
    pub manifest: Manifest,
    /// How long it took.
    pub elapsed: Duration,
}

/// Takes a backup of the databases, all at one moment, into the target.
///
/// # Errors
/// [`BackupError`]; what was stored before it is no backup, for want of a manifest.
pub async fn create(
    sources: &[Source],
    target: &Target,
    options: &BackupOptions,
    progress: BackupProgress<'_>,
) -> Result<Created, BackupError> {
    let begun = Instant::now();
    let binaries = discover(None)?;
    let (snapshots, fence) = snapshots(sources, &options.fence).await?;
    progress(BackupEvent::Fenced { micros: fence.micros });
    let taken_at = snapshots.iter().map(|snapshot| snapshot.taken_at).max().unwrap_or_default();
    let id = name_of(taken_at);
    let encoding = Encoding { recipients: options.recipients.clone(), level: options.compression_level };
    let set = Set { id: &id, target, encoding: &encoding, binaries: &binaries, progress };
    let (files, contents) =
        tokio::try_join!(set.store_all(sources, &snapshots), contents_of_all(sources, &snapshots, progress))?;
    let databases = sources.iter().zip(&snapshots).zip(contents);
    let manifest = Manifest {
        format: FORMAT,
        id: id.clone(),
        estore: options.estore_version.clone(),
        taken_at,
        fence,
        recipients: options.recipients.shown(),
        pg_dump: set.version().await?,
        files,
        databases: databases.map(|((source, snapshot), seen)| described(source, snapshot, seen)).collect(),
    };
    publish(target, &manifest, &options.signer).await?;
    Ok(Created { manifest, elapsed: begun.elapsed() })
}

/// The moment, to the microsecond that the database's clock has: names sort as their sets were taken, and a set is
/// begun after the one before has ended. The ending keeps apart sets of several shops in one target.
fn name_of(taken_at: Timestamp) -> String {
    format!("{}-{:04x}", taken_at.strftime("%Y%m%dT%H%M%S.%6fZ"), rand::random::<u16>())
}

fn described(source: &Source, snapshot: &Snapshot, (contents, audit): (Contents, Option<Head>)) -> DatabaseBackup {
    DatabaseBackup {
        service: source.service.name().to_owned(),
        database: source.database.clone(),
        server: snapshot.server.clone(),
        wal_lsn: snapshot.wal_lsn.clone(),
        audit,
        contents,
    }
}

/// Beside the dumps, on the sessions that hold the snapshots.
async fn contents_of_all(
    sources: &[Source],
    snapshots: &[Snapshot],
    progress: BackupProgress<'_>,
) -> Result<Vec<(Contents, Option<Head>)>, BackupError> {
    let mut all = Vec::new();
    for (source, snapshot) in sources.iter().zip(snapshots) {
        let taken = contents::take(&snapshot.connection).await;
        let taken = taken.map_err(BackupError::database(&source.database, "count and hash its rows"))?;
        let head = audit::newest(&snapshot.connection).await;
        all.push((taken, head.map_err(BackupError::database(&source.database, "note its newest seal"))?));
        progress(BackupEvent::Counted { database: &source.database });
    }
    Ok(all)
}

/// A set in the making.
struct Set<'a> {
    id: &'a str,
    target: &'a Target,
    encoding: &'a Encoding,
    binaries: &'a Binaries,
    progress: BackupProgress<'a>,
}

impl Set<'_> {
    async fn store_all(&self, sources: &[Source], snapshots: &[Snapshot]) -> Result<Vec<StoredFile>, BackupError> {
        let mut files = Vec::new();
        for (name, source) in globals::servers(sources) {
            let mut command = program::command(self.binaries, "pg_dumpall", &source.dump);
            command.args(["--globals-only", "--no-role-passwords", "--no-tablespaces", "--no-password"]);
            command.arg("--database").arg(&source.database);
            files.push(self.store(command, "pg_dumpall", &name, (None, None)).await?);
        }
        for (source, snapshot) in sources.iter().zip(snapshots) {
            let mut command = program::command(self.binaries, "pg_dump", &source.dump);
            command.args(["--format=custom", "--compress=0", "--no-password"]);
            command.arg(format!("--snapshot={}", snapshot.id));
            command.arg(format!("--lock-wait-timeout={TABLE_WAIT_MS_MAX}"));
            let name = format!("{}.dump", source.database);
            let about = (Some(source.database.as_str()), Some(snapshot.bytes));
            files.push(self.store(command, "pg_dump", &name, about).await?);
        }
        Ok(files)
    }

    async fn store(
        &self,
        mut command: tokio::process::Command,
        program: &str,
        plain_name: &str,
        (database, bytes_expected): (Option<&str>, Option<u64>),
    ) -> Result<StoredFile, BackupError> {
        let name = self.encoding.name(plain_name);
        (self.progress)(BackupEvent::FileStarted { name: &name, bytes_expected });
        command.stdout(Stdio::piped());
        let running = program::start(command, program)?;
        let path = format!("{}/{name}", self.id);
        let encoded = store_output(running, self.target, &path, self.encoding, self.progress).await?;
        (self.progress)(BackupEvent::FileFinished { name: &name });
        let database = database.map(str::to_owned);
        let (bytes, plain_bytes, sha256) = (encoded.bytes, encoded.plain_bytes, encoded.sha256);
        Ok(StoredFile { name, database, bytes, plain_bytes, sha256 })
    }

    async fn version(&self) -> Result<String, BackupError> {
        let program = self.binaries.program("pg_dump");
        let answer = tokio::process::Command::new(&program).arg("--version").output().await;
        let answer = answer.map_err(BackupError::file("run", Path::new(&program)))?;
        Ok(String::from_utf8_lossy(&answer.stdout).trim().to_owned())
    }
}

/// The fence of a backup, for whoever tells of it.
impl Fence {
    /// In words.
    #[must_use]
    pub fn shown(&self) -> String {
        let (ms, tenths) = (self.micros / 1000, self.micros % 1000 / 100);
        match (self.held, self.tries) {
            (true, 1) => format!("writers were held back for {ms}.{tenths} ms"),
            (true, tries) => format!("writers were held back for {ms}.{tenths} ms, at try {tries}"),
            (false, 0) => "without a fence, as asked: the databases show moments that lie a little apart".to_owned(),
            (false, tries) => {
                format!("without a fence, not had in {tries} tries: the databases show moments that lie a little apart")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    #[test]
    fn names_sort_as_their_sets_were_taken() {
        let first: Timestamp = "2026-11-22T20:55:04.999998Z".parse().unwrap();
        let moments = [0, 1, 2, 1000].map(|micros| first + micros.microseconds());
        // The endings are random: by them alone, half of the pairs would stand the wrong way about.
        for _ in 0..20 {
            let names = moments.map(name_of);
            assert!(names.is_sorted(), "{names:?}");
        }
    }
}
