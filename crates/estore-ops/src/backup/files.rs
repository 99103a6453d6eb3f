//! A set's files on this machine, still encrypted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use super::error::BackupError;
use super::manifest::{Manifest, StoredFile};
use super::progress::{BackupEvent, BackupProgress};
use super::store::Target;

/// A fetched set.
#[derive(Debug)]
pub(crate) struct Fetched {
    folder: PathBuf,
    /// SHA-256 of each file as it came.
    hashes: BTreeMap<String, String>,
}

impl Fetched {
    /// Brings these files into a folder.
    ///
    /// # Errors
    /// [`BackupError::Damaged`] for a file that is missing or of another size.
    pub(crate) async fn bring(
        target: &Target,
        manifest: &Manifest,
        files: &[&StoredFile],
        folder: &Path,
        progress: BackupProgress<'_>,
    ) -> Result<Self, BackupError> {
        let mut hashes = BTreeMap::new();
        for file in files {
            progress(BackupEvent::FileStarted { name: &file.name, bytes_expected: Some(file.bytes) });
            let hash = bring(target, manifest, file, &folder.join(&file.name), progress).await?;
            hashes.insert(file.name.clone(), hash);
            progress(BackupEvent::FileFinished { name: &file.name });
        }
        Ok(Self { folder: folder.to_owned(), hashes })
    }

    /// Compares what came with what the manifest says.
    pub(crate) fn check_hashes(&self, manifest: &Manifest) -> Result<usize, BackupError> {
        for file in manifest.files.iter().filter(|file| self.hashes.contains_key(&file.name)) {
            let came = &self.hashes[&file.name];
            if *came != file.sha256 {
                let reason =
                    format!("its SHA-256 is {came} and was {}: it was changed after it was stored", file.sha256);
                return Err(BackupError::damaged(&file.name, reason));
            }
        }
        Ok(self.hashes.len())
    }

    /// Where a file lies.
    pub(crate) fn path(&self, file: &StoredFile) -> PathBuf {
        self.folder.join(&file.name)
    }
}

async fn bring(
    target: &Target,
    manifest: &Manifest,
    file: &StoredFile,
    path: &Path,
    progress: BackupProgress<'_>,
) -> Result<String, BackupError> {
    let mut arriving = target.fetch(&format!("{}/{}", manifest.id, file.name)).await?;
    let mut out = File::create_new(path).await.map_err(BackupError::file("write", path))?;
    let (mut hash, mut bytes) = (Sha256::new(), 0_u64);
    while let Some(piece) = arriving.next().await {
        let piece = piece.map_err(BackupError::store(format!("fetch {}", file.name)))?;
        bytes += piece.len() as u64;
        if bytes > file.bytes {
            break;
        }
        hash.update(&piece);
        out.write_all(&piece).await.map_err(BackupError::file("write", path))?;
        progress(BackupEvent::FileBytes { name: &file.name, bytes });
    }
    out.flush().await.map_err(BackupError::file("write", path))?;
    if bytes != file.bytes {
        let more = if bytes > file.bytes { "more" } else { "less" };
        let reason = format!("it has {bytes} bytes, {more} than the {} that were stored", file.bytes);
        return Err(BackupError::damaged(&file.name, reason));
    }
    Ok(hex::encode(hash.finalize()))
}
