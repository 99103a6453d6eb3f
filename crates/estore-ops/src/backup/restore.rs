//! Brings a backup back: into a new data directory, or beside the live databases and then in their place.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tempfile::TempDir;
use tokio::time::Instant;

use super::error::BackupError;
use super::files::Fetched;
use super::keys::Identity;
use super::list::choose;
use super::manifest::{DatabaseBackup, Manifest, StoredFile};
use super::progress::BackupProgress;
use super::scratch::{Place, remove_left_over};
use super::signature::SignerKey;
use super::store::Target;
use super::switch::{Live, exists, restored_name, switch_all};
use super::verify::{check_keys, check_signature, databases};
use crate::postgres::{Binaries, ClusterOptions, PrivateCluster, discover};
use crate::roles::{ADMINISTRATOR, Service, drop_database};

/// What is brought back, and how.
#[derive(Debug)]
pub struct RestoreOptions {
    /// What opens it.
    pub identity: Option<Identity>,
    /// Who must have signed it.
    pub signer: SignerKey,
    /// The databases, by service; none named means all.
    pub services: Vec<Service>,
    /// Whether what stands in the way may be lost.
    pub destructive: bool,
    /// Where the encrypted files lie meanwhile; nothing of it stays.
    pub staging_parent: PathBuf,
}

/// What was brought back.
#[derive(Debug, Clone)]
pub struct Restored {
    /// The set.
    pub id: String,
    /// The moment it shows.
    pub taken_at: Timestamp,
    /// The databases as they are named now.
    pub databases: Vec<String>,
    /// From nothing to databases that answer, in milliseconds.
    pub millis: u64,
}

/// A set that is fetched and may be trusted.
struct Staged {
    manifest: Manifest,
    fetched: Fetched,
    _folder: TempDir,
}

impl Staged {
    async fn bring(
        target: &Target,
        wanted: &str,
        options: &RestoreOptions,
        progress: BackupProgress<'_>,
    ) -> Result<Self, BackupError> {
        let found = choose(target, wanted).await?;
        check_signature(target, &found, &options.signer).await?;
        let parent = &options.staging_parent;
        std::fs::create_dir_all(parent).map_err(BackupError::file("make", parent))?;
        let folder = tempfile::Builder::new().prefix(".estore-restore-").tempdir_in(parent);
        let folder = folder.map_err(BackupError::file("make a folder in", parent))?;
        let manifest = found.manifest;
        let wanted_too = |file: &&StoredFile| {
            let service = manifest.databases.iter().find(|database| Some(&database.database) == file.database.as_ref());
            service.is_none_or(|database| options.wants(database))
        };
        let files: Vec<&StoredFile> = manifest.files.iter().filter(wanted_too).collect();
        let fetched = Fetched::bring(target, &manifest, &files, folder.path(), progress).await?;
        fetched.check_hashes(&manifest)?;
        check_keys(&fetched, &manifest, options.identity.as_ref()).await?;
        Ok(Self { manifest, fetched, _folder: folder })
    }

    fn wanted(&self, options: &RestoreOptions) -> Result<Vec<(&DatabaseBackup, &StoredFile, Service)>, BackupError> {
        let mut all = databases(&self.manifest)?;
        all.retain(|(database, ..)| options.wants(database));
        if all.is_empty() {
            return Err(BackupError::damaged(&self.manifest.id, "it holds none of the databases asked for"));
        }
        Ok(all)
    }

    fn restored(&self, databases: Vec<String>, begun: Instant) -> Restored {
        let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        Restored { id: self.manifest.id.clone(), taken_at: self.manifest.taken_at, databases, millis }
    }
}

impl RestoreOptions {
    fn wants(&self, database: &DatabaseBackup) -> bool {
        self.services.is_empty() || self.services.iter().any(|service| service.name() == database.service)
    }
}

/// Where a new cluster grows until it is whole, under its data directory.
const UNFINISHED: &str = "restoring";

/// Restores into the private PostgreSQL of a data directory that has none yet; with `destructive`, also over
/// one that has: its databases go once the restore has succeeded. A cut restore never looks like a whole one.
///
/// # Errors
/// [`BackupError::InTheWay`] when there is one; otherwise [`BackupError`], and then what was begun is removed.
pub async fn restore_into(
    target: &Target,
    wanted: &str,
    data_dir: &Path,
    options: &RestoreOptions,
    progress: BackupProgress<'_>,
) -> Result<Restored, BackupError> {
    let begun = Instant::now();
    let has_cluster = data_dir.join("postgres/data").exists();
    if has_cluster && !options.destructive {
        return Err(BackupError::InTheWay {
            what: format!("{} already holds a PostgreSQL", data_dir.display()),
            mend: "Name another folder; or restore beside the live databases with --beside; \
                   or let them go with --destructive"
                .to_owned(),
        });
    }
    let staged = Staged::bring(target, wanted, options, progress).await?;
    let home = if has_cluster { data_dir.to_owned() } else { fresh_folder(data_dir).await? };
    let cluster = Box::pin(PrivateCluster::start(&home, ClusterOptions::default())).await?;
    let administrator = cluster.config_for("postgres", ADMINISTRATOR);
    let place = Place { binaries: cluster.binaries(), administrator, identity: options.identity.as_ref() };
    let result = if has_cluster {
        over(&staged, &place, options, progress).await
    } else {
        into_empty(&staged, &place, options, progress).await
    };
    cluster.stop().await?;
    if !has_cluster {
        if result.is_ok() {
            let (grown, place) = (home.join("postgres"), data_dir.join("postgres"));
            std::fs::rename(&grown, &place).map_err(BackupError::file("put in place", &place))?;
        }
        std::fs::remove_dir_all(&home).map_err(BackupError::file("remove", &home))?;
    }
    Ok(staged.restored(result?, begun))
}

/// The folder that a new cluster grows in, without what a cut restore left there.
pub(crate) async fn fresh_folder(data_dir: &Path) -> Result<PathBuf, BackupError> {
    if !data_dir.exists() {
        // As the private PostgreSQL has it: the server's user passes through.
        let mode = if nix::unistd::geteuid().is_root() { 0o711 } else { 0o700 };
        let parent = data_dir.parent().unwrap_or(data_dir);
        std::fs::create_dir_all(parent).map_err(BackupError::file("make", parent))?;
        DirBuilder::new().mode(mode).create(data_dir).map_err(BackupError::file("make", data_dir))?;
    }
    let folder = data_dir.join(UNFINISHED);
    remove_left_over(&folder, &folder).await?;
    Ok(folder)
}

async fn into_empty(
    staged: &Staged,
    place: &Place<'_>,
    options: &RestoreOptions,
    progress: BackupProgress<'_>,
) -> Result<Vec<String>, BackupError> {
    place.restore_globals(&staged.fetched, &staged.manifest).await?;
    let mut names = Vec::new();
    for (_, file, service) in staged.wanted(options)? {
        // Under the name that the shop looks for, whatever it was called on its server.
        place.restore_database(&staged.fetched, (file, service), service.database(), progress).await?;
        names.push(service.database().to_owned());
    }
    Ok(names)
}

async fn over(
    staged: &Staged,
    place: &Place<'_>,
    options: &RestoreOptions,
    progress: BackupProgress<'_>,
) -> Result<Vec<String>, BackupError> {
    let mut live = Vec::new();
    for (_, file, service) in staged.wanted(options)? {
        beside(staged, place, (file, service), (service.database(), true), progress).await?;
        live.push(service.database().to_owned());
    }
    let administrator = place.connect(&place.administrator).await?;
    for replaced in switch_all(&administrator, &live).await? {
        drop_database(&administrator, &replaced).await?;
    }
    Ok(live)
}

/// Restores beside the live databases, as `<name>_restored`.
///
/// # Errors
/// [`BackupError::InTheWay`] when an earlier restore still stands there and `destructive` is not said.
pub async fn restore_beside(
    target: &Target,
    wanted: &str,
    live: &[Live],
    options: &RestoreOptions,
    progress: BackupProgress<'_>,
) -> Result<Restored, BackupError> {
    let begun = Instant::now();
    let staged = Staged::bring(target, wanted, options, progress).await?;
    let binaries: Binaries = discover(None)?;
    let mut names = Vec::new();
    for (_, file, service) in staged.wanted(options)? {
        let live = live.iter().find(|live| live.service == service);
        let live = live.ok_or_else(|| BackupError::Internal(format!("nobody said where {service} lives")))?;
        let administrator = live.administrator.clone();
        let place = Place { binaries: &binaries, administrator, identity: options.identity.as_ref() };
        beside(&staged, &place, (file, service), (&live.database, options.destructive), progress).await?;
        names.push(restored_name(&live.database));
    }
    Ok(staged.restored(names, begun))
}

async fn beside(
    staged: &Staged,
    place: &Place<'_>,
    (file, service): (&StoredFile, Service),
    (live, destructive): (&str, bool),
    progress: BackupProgress<'_>,
) -> Result<(), BackupError> {
    let name = restored_name(live);
    let administrator = place.connect(&place.administrator).await?;
    if exists(&administrator, &name).await? {
        if !destructive {
            return Err(BackupError::InTheWay {
                what: format!("the database {name} stands there from an earlier restore"),
                mend: "Put it in place with --switch, or let it go with --destructive".to_owned(),
            });
        }
        drop_database(&administrator, &name).await?;
    }
    let restored = place.restore_database(&staged.fetched, (file, service), &name, progress).await;
    if restored.is_err() {
        place.drop_database(&name).await?;
    }
    restored
}
