//! Where a backup is proven, and what is left of it when that is cut.

use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::error::BackupError;
use super::scratch::remove_left_over;

const SCRATCH: &str = "estore-verify-";
const LOCK: &str = "lock";

/// The scratch server's folder: its user passes through, and nobody reads what lies in it. Held by a lock, so that
/// what a killed proof left can be told from one that is under way.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: TempDir,
    _lock: File,
}

impl Scratch {
    pub(crate) async fn make(parent: &Path) -> Result<Self, BackupError> {
        std::fs::create_dir_all(parent).map_err(BackupError::file("make", parent))?;
        sweep(parent).await;
        let folder = tempfile::Builder::new().prefix(SCRATCH).tempdir_in(parent);
        let folder = folder.map_err(BackupError::file("make a scratch folder in", parent))?;
        let lock = File::create(folder.path().join(LOCK)).and_then(|lock| lock.lock().map(|()| lock));
        let lock = lock.map_err(BackupError::file("lock", folder.path()))?;
        let open = std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o711));
        open.map_err(BackupError::file("open up", folder.path()))?;
        Ok(Self { folder, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The data directory of the scratch server.
    pub(crate) fn data_dir(folder: &Path) -> PathBuf {
        folder.join("data")
    }
}

/// Removes what killed proofs left: their restored rows, and servers that still run on them.
async fn sweep(parent: &Path) {
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let folder = entry.path();
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(SCRATCH));
        // A folder without its lock is just being made.
        let Ok(lock) = File::open(folder.join(LOCK)) else { continue };
        if !ours || lock.try_lock().is_err() {
            continue;
        }
        if let Err(error) = remove_left_over(&folder, &Scratch::data_dir(&folder)).await {
            tracing::warn!(%error, folder = %folder.display(), "what a killed proof left could not be removed");
        }
    }
}
