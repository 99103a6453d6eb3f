//! The folders of a data directory and who owns them.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use super::account::Account;
use super::address::ClusterAddress;
use super::error::ClusterError;

/// How the folders that `initdb` has not finished begin; one a process, because the `initdb` of a
/// killed one may still be writing to its own.
pub(crate) const UNFINISHED: &str = "data.unfinished";

/// Where everything of a private cluster lies.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(crate) root: PathBuf,
    /// Ours: the parent of the server's folders.
    pub(crate) home: PathBuf,
    pub(crate) data: PathBuf,
    pub(crate) unfinished: PathBuf,
    pub(crate) log: PathBuf,
    pub(crate) first_words: PathBuf,
    pub(crate) address: ClusterAddress,
}

impl Layout {
    /// Makes the data directory if need be; an existing one keeps its mode.
    pub(crate) fn make(data_dir: &Path) -> Result<Self, ClusterError> {
        if let Some(parent) = data_dir.parent() {
            fs::create_dir_all(parent).map_err(|error| ClusterError::file("make", parent, error))?;
        }
        if !data_dir.exists() {
            // The server's user, if another, passes through but cannot list what else lies here.
            make_folder(data_dir, if nix::unistd::geteuid().is_root() { 0o711 } else { 0o700 })?;
        }
        let root = data_dir.canonicalize().map_err(|error| ClusterError::file("find", data_dir, error))?;
        Ok(Self::of(root))
    }

    fn of(root: PathBuf) -> Self {
        let home = root.join("postgres");
        Self {
            data: home.join("data"),
            unfinished: home.join(format!("{UNFINISHED}-{}", std::process::id())),
            log: home.join("log"),
            first_words: home.join("start.log"),
            address: ClusterAddress::of(&root),
            home,
            root,
        }
    }

    /// Makes the server's folders and checks that its user can reach them.
    pub(crate) fn prepare(&self, account: &Account) -> Result<(), ClusterError> {
        check_passage(account, &self.root)?;
        make_folder(&self.home, if account.switched { 0o711 } else { 0o700 })?;
        self.give(account, &self.log)?;
        let socket_dir = self.address.socket_dir();
        if socket_dir.starts_with(&self.root) {
            return self.give(account, socket_dir);
        }
        match DirBuilder::new().mode(0o700).create(socket_dir) {
            Ok(()) => own(account, socket_dir),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => check_socket_folder(account, socket_dir),
            Err(error) => Err(ClusterError::file("make", socket_dir, error)),
        }
    }

    /// A folder that belongs to the server's user alone.
    pub(crate) fn give(&self, account: &Account, folder: &Path) -> Result<(), ClusterError> {
        make_folder(folder, 0o700)?;
        own(account, folder)
    }

    /// Replaces a file of ours inside a folder of the server's, following no link it may have laid.
    pub(crate) fn write(&self, folder: &Path, name: &str, text: &str) -> Result<(), ClusterError> {
        let (target, draft) = (folder.join(name), folder.join(format!("{name}.new")));
        if fs::read(&target).is_ok_and(|present| present == text.as_bytes()) {
            return Ok(());
        }
        drop(fs::remove_file(&draft));
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o644)
            .open(&draft)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&draft, &target))
            .map_err(|error| ClusterError::file("write", &target, error))
    }

    /// Takes the data directory for this process; the lock ends with the file.
    pub(crate) fn lock(&self) -> Result<File, ClusterError> {
        let path = self.root.join("lock");
        let failed = |error| ClusterError::file("lock", &path, error);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(error)) => return Err(failed(error)),
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                drop(file.read_to_string(&mut text));
                return Err(ClusterError::InUse { data_dir: self.root.clone(), pid: text.trim().parse().ok() });
            }
        }
        file.set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| writeln!(file, "{}", std::process::id()))
            .map_err(failed)?;
        Ok(file)
    }

    /// The end of what the server wrote: before its log was open, and in its newest log file.
    pub(crate) fn last_words(&self) -> String {
        let newest = fs::read_dir(&self.log)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .max()
            .map(|(_, path)| path);
        let mut text = tail(&self.first_words);
        if let Some(path) = newest {
            text.push_str(&tail(&path));
        }
        text.trim().to_owned()
    }
}

/// The last two kilobytes of a file.
fn tail(path: &Path) -> String {
    let read = || -> io::Result<String> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(2048)))?;
        let mut bytes = Vec::new();
        file.take(4096).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    read().unwrap_or_default()
}

/// Refuses a folder that the server's user cannot reach, by the name of the one that keeps it out.
pub(crate) fn check_passage(account: &Account, folder: &Path) -> Result<(), ClusterError> {
    for folder in folder.ancestors() {
        let metadata = fs::metadata(folder).map_err(|error| ClusterError::file("look at", folder, error))?;
        if !account.may_pass(&metadata) {
            return Err(ClusterError::NotTraversable { folder: folder.to_owned(), user: account.shown() });
        }
    }
    Ok(())
}

fn make_folder(folder: &Path, mode: u32) -> Result<(), ClusterError> {
    match DirBuilder::new().mode(mode).create(folder) {
        Ok(()) => set_mode(folder, mode),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(error) => Err(ClusterError::file("make", folder, error)),
    }
}

fn set_mode(path: &Path, mode: u32) -> Result<(), ClusterError> {
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(|error| ClusterError::file("open up", path, error))
}

fn own(account: &Account, folder: &Path) -> Result<(), ClusterError> {
    if !account.switched {
        return Ok(());
    }
    chown(folder, Some(account.uid), Some(account.gid)).map_err(|error| ClusterError::file("give away", folder, error))
}

/// Anybody may write to `/tmp`: a folder there is ours only if it is real, private and owned right.
fn check_socket_folder(account: &Account, folder: &Path) -> Result<(), ClusterError> {
    let metadata = fs::symlink_metadata(folder).map_err(|error| ClusterError::file("look at", folder, error))?;
    let refuse =
        |reason: &str| Err(ClusterError::SocketFolder { folder: folder.to_owned(), reason: reason.to_owned() });
    if !metadata.is_dir() {
        return refuse("is not a folder");
    }
    if metadata.uid() != account.uid {
        return refuse("belongs to another user");
    }
    if metadata.mode() & 0o077 != 0 {
        return refuse("is open to others");
    }
    Ok(())
}
