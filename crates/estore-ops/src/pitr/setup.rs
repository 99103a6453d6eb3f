//! Sends a private PostgreSQL's log to an archive.

use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt, chown};
use std::path::{Path, PathBuf};

use estore_kit::secret::Secret;

use super::archiver::Archiver;
use super::error::PitrError;
use super::pgbackrest::{Configuration, INCLUDED, PgBackRest, repository_of};
use crate::postgres::account::Account;
use crate::postgres::layout::{Layout, check_passage};
use crate::postgres::settings::ARCHIVE_CONF;

/// The archiver's settings, under the server's home.
pub(crate) const ARCHIVE: &str = "archive";

/// What is archived, and where.
#[derive(Clone)]
pub struct SetupOptions {
    /// Where everything is kept: a folder, best on another disk.
    pub repository: PathBuf,
    /// What it is encrypted with.
    pub passphrase: Secret,
    /// How far back every moment can be brought back, in days, from 1.
    pub keep_days: u32,
}

/// Writes the settings of the archiver and of the server, which heeds them from its next start on. May be repeated.
///
/// # Errors
/// [`PitrError::NotInstalled`]; [`PitrError::Taken`] when the repository keeps another server's history.
pub fn set_up(data_dir: &Path, options: &SetupOptions) -> Result<PgBackRest, PitrError> {
    let layout = Layout::make(data_dir)?;
    let account = Account::choose(&layout.data)?;
    let home = layout.home.join(ARCHIVE);
    let known = repository_of(&home)?;
    let repository = prepare_repository(&options.repository, known.as_deref(), (&account, &layout))?;
    let archiver = PgBackRest::new(&home, repository, account.clone())?;
    write_archiver(&layout, &account, archiver.repository(), options)?;
    layout.write(&layout.data, ARCHIVE_CONF, &archiver.server_settings())?;
    Ok(archiver)
}

/// The archiver of a data directory.
///
/// # Errors
/// [`PitrError::NotSetUp`] when it has none.
pub fn archiver_of(data_dir: &Path) -> Result<PgBackRest, PitrError> {
    let home = data_dir.join("postgres").join(ARCHIVE);
    let not_set_up = || PitrError::NotSetUp { data_dir: data_dir.to_owned() };
    let repository = repository_of(&home)?.ok_or_else(not_set_up)?;
    let home = home.canonicalize().map_err(PitrError::file("find", &home))?;
    let account = Account::choose(&data_dir.join("postgres/data"))?;
    PgBackRest::new(&home, repository, account)
}

/// Whether the log of a data directory's server is archived, from its next start on at the latest.
#[must_use]
pub fn is_set_up(data_dir: &Path) -> bool {
    data_dir.join("postgres/data").join(ARCHIVE_CONF).exists()
}

/// Writes what the archiver must know, for the server's user alone.
pub(crate) fn write_archiver(
    layout: &Layout,
    account: &Account,
    repository: &Path,
    options: &SetupOptions,
) -> Result<PathBuf, PitrError> {
    let home = layout.home.join(ARCHIVE);
    layout.give(account, &home)?;
    layout.give(account, &home.join(INCLUDED))?;
    let configuration = Configuration {
        repository,
        passphrase: options.passphrase.reveal(),
        keep_days: options.keep_days,
        data: &layout.data,
        socket: layout.address.socket_dir(),
    };
    configuration.write(&home, account)?;
    Ok(home)
}

/// The folder that everything is kept in, made when it is missing, and this server's alone.
fn prepare_repository(
    folder: &Path,
    known: Option<&Path>,
    (account, layout): (&Account, &Layout),
) -> Result<PathBuf, PitrError> {
    let is_new = !folder.exists();
    if is_new {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(PitrError::file("make", folder))?;
    }
    let folder = folder.canonicalize().map_err(PitrError::file("find", folder))?;
    if folder.starts_with(&layout.data) || layout.data.starts_with(&folder) {
        let reason = "it would archive itself; name a folder outside the server's data";
        return Err(PitrError::Unusable { path: folder, reason });
    }
    let has_history = ["archive", "backup"].iter().any(|name| folder.join(name).exists());
    if has_history && known != Some(&folder) {
        return Err(PitrError::Taken { repository: folder });
    }
    if is_new && account.switched {
        let given = chown(&folder, Some(account.uid), Some(account.gid));
        given.map_err(PitrError::file("give away", &folder))?;
    }
    check_passage(account, &folder)?;
    Ok(folder)
}
