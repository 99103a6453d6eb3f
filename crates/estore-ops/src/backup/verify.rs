//! Proves a backup by restoring it into a private scratch server, level by level.

use std::fmt;
use std::path::{Path, PathBuf};

use futures_util::future::LocalBoxFuture;
use jiff::Timestamp;
use tokio::time::Instant;

use super::checks::{check_contents, check_pages, check_schema};
use super::controls::check_controls;
use super::error::BackupError;
use super::files::Fetched;
use super::keys::Identity;
use super::level::{Level, Report, Verdict, digest};
use super::list::choose;
use super::manifest::{self, DatabaseBackup, Found, Manifest, StoredFile, VERDICT};
use super::pipeline::reader;
use super::progress::{BackupEvent, BackupProgress};
use super::scratch::Place;
use super::scratch_folder::Scratch;
use super::signature::SignerKey;
use super::store::Target;
use crate::postgres::{ClusterOptions, PrivateCluster};
use crate::roles::{ADMINISTRATOR, Service};

/// A level that the caller adds, such as the promises across the databases.
pub struct ExtraLevel<'a> {
    /// Its name.
    pub name: &'static str,
    /// Looks at the scratch server of this data directory; answers what was seen, or why it fails.
    pub run: Box<dyn Fn(PathBuf) -> LocalBoxFuture<'a, Result<String, String>> + 'a>,
}

impl fmt::Debug for ExtraLevel<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ExtraLevel").field("name", &self.name).finish_non_exhaustive()
    }
}

/// How a backup is proven.
#[derive(Debug)]
pub struct VerifyOptions<'a> {
    /// What opens it.
    pub identity: Option<Identity>,
    /// Who must have signed it.
    pub signer: SignerKey,
    /// Where the scratch server is made; it needs room for the databases, and nothing of it stays.
    pub scratch_parent: PathBuf,
    /// Levels after our own.
    pub extra: Vec<ExtraLevel<'a>>,
}

/// Our own levels, in their order.
const LEVELS: [&str; 9] =
    ["signature", "fetch", "hash", "decrypt", "restore", "contents", "schema", "pages", "controls"];
/// Levels that fail when the key at hand is the wrong one, which says nothing of the set.
const LEVELS_OF_KEYS: [&str; 2] = ["signature", "decrypt"];

/// Proves the set of that name, or the newest backup for `latest`, and records the verdict beside it.
///
/// # Errors
/// [`BackupError`] when it cannot be looked at. A set that fails is no error but a [`Report`] that says why.
pub async fn verify(
    target: &Target,
    wanted: &str,
    options: &VerifyOptions<'_>,
    progress: BackupProgress<'_>,
) -> Result<Report, BackupError> {
    let begun = Instant::now();
    let found = choose(target, wanted).await?;
    let scratch = Scratch::make(&options.scratch_parent).await?;
    let mut proof = Proof { levels: Vec::new(), restore_millis: 0, begun, progress };
    let outcome = proof.run(target, &found, options, scratch.path()).await;
    match outcome {
        Ok(()) | Err(Stop::Failed) => {}
        Err(Stop::Cannot(error)) => return Err(error),
    }
    let names = LEVELS.into_iter().chain(options.extra.iter().map(|level| level.name));
    for name in names.skip(proof.levels.len()) {
        let detail = "not come to".to_owned();
        proof.levels.push(Level { name: name.to_owned(), passed: None, detail, millis: 0 });
    }
    report(target, &found, proof).await
}

async fn report(target: &Target, found: &Found, proof: Proof<'_>) -> Result<Report, BackupError> {
    let now = Timestamp::now();
    let passed = proof.levels.iter().all(|level| level.passed == Some(true));
    let mut report = Report {
        id: found.manifest.id.clone(),
        passed,
        restore_millis: proof.restore_millis,
        age_seconds: now.as_second() - found.manifest.taken_at.as_second(),
        total_millis: millis_since(proof.begun),
        levels: proof.levels,
        recorded: false,
    };
    report.recorded = report.failure().is_none_or(|level| !LEVELS_OF_KEYS.contains(&level.name.as_str()));
    if report.recorded {
        let verdict = Verdict {
            manifest_sha256: digest(&found.text),
            verified_at: now,
            passed,
            restore_millis: report.restore_millis,
            age_seconds: report.age_seconds,
            levels: report.levels.clone(),
        };
        let text = serde_json::to_vec_pretty(&verdict).map_err(|error| BackupError::Internal(error.to_string()))?;
        target.put(&format!("{}/{VERDICT}", report.id), text).await?;
    }
    Ok(report)
}

fn millis_since(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Why no further level is come to.
enum Stop {
    /// One failed.
    Failed,
    /// The machine, the target or the server would not have it; that says nothing of the set.
    Cannot(BackupError),
}

impl From<BackupError> for Stop {
    fn from(error: BackupError) -> Self {
        Self::Cannot(error)
    }
}

struct Proof<'a> {
    levels: Vec<Level>,
    restore_millis: u64,
    begun: Instant,
    progress: BackupProgress<'a>,
}

impl Proof<'_> {
    async fn run(
        &mut self,
        target: &Target,
        found: &Found,
        options: &VerifyOptions<'_>,
        scratch: &Path,
    ) -> Result<(), Stop> {
        let manifest = &found.manifest;
        let identity = options.identity.as_ref();
        self.level("signature", check_signature(target, found, &options.signer)).await?;
        let files: Vec<&StoredFile> = manifest.files.iter().collect();
        let stored = scratch.join("stored");
        std::fs::create_dir(&stored).map_err(BackupError::file("make", &stored))?;
        let progress = self.progress;
        let fetched = self.level("fetch", fetch(target, manifest, &files, &stored, progress)).await?;
        self.level("hash", async {
            let count = fetched.check_hashes(manifest)?;
            Ok(((), format!("{count} files are as they were stored")))
        })
        .await?;
        self.level("decrypt", check_keys(&fetched, manifest, identity)).await?;
        let data_dir = Scratch::data_dir(scratch);
        let cluster =
            PrivateCluster::start(&data_dir, ClusterOptions { connections_max: 60, ..ClusterOptions::for_tests() });
        let cluster = Box::pin(cluster).await.map_err(BackupError::from)?;
        let place = Place {
            binaries: cluster.binaries(),
            administrator: cluster.config_for("postgres", ADMINISTRATOR),
            identity,
        };
        let result = self.in_cluster(&place, (&fetched, manifest), options, scratch).await;
        cluster.stop().await.map_err(BackupError::from)?;
        result
    }

    async fn in_cluster(
        &mut self,
        place: &Place<'_>,
        (fetched, manifest): (&Fetched, &Manifest),
        options: &VerifyOptions<'_>,
        scratch: &Path,
    ) -> Result<(), Stop> {
        let progress = self.progress;
        self.level("restore", restore(place, fetched, manifest, progress)).await?;
        self.restore_millis = millis_since(self.begun);
        self.level("contents", check_contents(place, manifest)).await?;
        self.level("schema", check_schema(place, manifest)).await?;
        self.level("pages", check_pages(place, manifest)).await?;
        self.level("controls", check_controls(place, (fetched, manifest), scratch)).await?;
        for extra in &options.extra {
            let run = (extra.run)(Scratch::data_dir(scratch));
            let name = extra.name;
            self.level(name, async {
                run.await
                    .map(|seen| ((), seen))
                    .map_err(|reason| BackupError::damaged("the restored databases", reason))
            })
            .await?;
        }
        Ok(())
    }

    /// Goes through a level and notes what came of it.
    async fn level<T>(
        &mut self,
        name: &'static str,
        work: impl Future<Output = Result<(T, String), BackupError>>,
    ) -> Result<T, Stop> {
        (self.progress)(BackupEvent::LevelStarted { name });
        let begun = Instant::now();
        let outcome = work.await;
        let passed = outcome.is_ok();
        (self.progress)(BackupEvent::LevelFinished { name, passed });
        let (answer, detail) = match outcome {
            Ok((answer, detail)) => (Ok(answer), detail),
            Err(
                error @ (BackupError::Damaged { .. }
                | BackupError::Program { .. }
                | BackupError::Database { .. }
                | BackupError::Roles(_)),
            ) => (Err(Stop::Failed), error.to_string()),
            Err(error) => return Err(Stop::Cannot(error)),
        };
        self.levels.push(Level { name: name.to_owned(), passed: Some(passed), detail, millis: millis_since(begun) });
        answer
    }
}

pub(crate) async fn check_signature(
    target: &Target,
    found: &Found,
    signer: &SignerKey,
) -> Result<((), String), BackupError> {
    let signature = manifest::signature(target, &found.manifest.id).await?;
    signature.check(&found.text, signer).map_err(|reason| BackupError::damaged(manifest::SIGNATURE, reason))?;
    Ok(((), format!("the manifest is signed by {}", signature.key())))
}

async fn fetch(
    target: &Target,
    manifest: &Manifest,
    files: &[&StoredFile],
    folder: &Path,
    progress: BackupProgress<'_>,
) -> Result<(Fetched, String), BackupError> {
    let fetched = Fetched::bring(target, manifest, files, folder, progress).await?;
    Ok((fetched, format!("{} files, {} bytes", files.len(), manifest.bytes())))
}

/// Opens each file; that it is whole is seen when it is restored, since every piece is authenticated.
pub(crate) async fn check_keys(
    fetched: &Fetched,
    manifest: &Manifest,
    identity: Option<&Identity>,
) -> Result<((), String), BackupError> {
    if manifest.recipients.is_empty() {
        return Ok(((), "it was stored unencrypted, as asked".to_owned()));
    }
    let files = manifest.files.iter().filter(|file| fetched.path(file).exists());
    for file in files {
        let mut plain =
            reader(&fetched.path(file), identity).map_err(|reason| BackupError::damaged(&file.name, reason))?;
        let first = std::io::Read::read(&mut plain, &mut [0; 16]);
        first.map_err(|error| BackupError::damaged(&file.name, error.to_string()))?;
    }
    Ok(((), "the identity opens every file".to_owned()))
}

async fn restore(
    place: &Place<'_>,
    fetched: &Fetched,
    manifest: &Manifest,
    progress: BackupProgress<'_>,
) -> Result<((), String), BackupError> {
    place.restore_globals(fetched, manifest).await?;
    for (_, file, service) in databases(manifest)? {
        place.restore_database(fetched, (file, service), service.database(), progress).await?;
    }
    Ok(((), format!("{} databases, {} rows", manifest.databases.len(), manifest.rows())))
}

/// The databases of a set with their files.
pub(crate) fn databases(manifest: &Manifest) -> Result<Vec<(&DatabaseBackup, &StoredFile, Service)>, BackupError> {
    let with_files = manifest.databases.iter().map(|database| {
        let file = manifest.files.iter().find(|file| file.database.as_ref() == Some(&database.database));
        match (file, Service::named(&database.service)) {
            (Some(file), Some(service)) => Ok((database, file, service)),
            _ => Err(BackupError::damaged(manifest::MANIFEST, format!("it names no file of {}", database.database))),
        }
    });
    with_files.collect()
}
