//! What a set holds, as it was in the snapshots that were dumped.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::BackupError;
use super::fence::Fence;
use super::signature::Signature;
use super::store::Target;
use crate::audit::Head;

/// The format written and read here.
pub(crate) const FORMAT: u32 = 1;
pub(crate) const MANIFEST: &str = "manifest.json";
pub(crate) const SIGNATURE: &str = "manifest.sig";
pub(crate) const VERDICT: &str = "verified.json";

/// One backup of the databases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format of this text.
    pub format: u32,
    /// The set's name: the moment it shows to the microsecond, so that names sort by time.
    pub id: String,
    /// The EStore that took it.
    pub estore: String,
    /// The moment it shows, by the database's clock.
    pub taken_at: Timestamp,
    /// How the databases were brought to one moment.
    pub fence: Fence,
    /// Who may read it; nobody named means that it is not encrypted.
    pub recipients: Vec<String>,
    /// The version of `pg_dump`.
    pub pg_dump: String,
    /// Its files, globals first, then the databases in the order they are restored in.
    pub files: Vec<StoredFile>,
    /// The databases.
    pub databases: Vec<DatabaseBackup>,
}

/// A file of the set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFile {
    /// Its name in the set.
    pub name: String,
    /// The database it holds; none for globals.
    pub database: Option<String>,
    /// As stored, in bytes.
    pub bytes: u64,
    /// Before compression and encryption, in bytes.
    pub plain_bytes: u64,
    /// SHA-256 of what is stored, in hex.
    pub sha256: String,
}

/// A database as it was dumped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseBackup {
    /// `users`, `inventory` or `payments`.
    pub service: String,
    /// Its name on its server.
    pub database: String,
    /// The server's version.
    pub server: String,
    /// Where the server's log was, as an LSN.
    pub wal_lsn: String,
    /// The newest seal of its audit; none where nothing had been sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<Head>,
    /// Its rows and schema.
    pub contents: Contents,
}

/// What a database is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Rows and their hash by table.
    pub tables: BTreeMap<String, TableContents>,
    /// A hash of each object's definition.
    pub schema: BTreeMap<String, String>,
    /// Versions of the migrations that stand.
    pub migrations: Vec<i64>,
}

/// A table's rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableContents {
    /// How many.
    pub rows: i64,
    /// A hash of them all, in whatever order they lie.
    pub hash: String,
}

impl Manifest {
    /// Bytes stored.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Rows of all tables.
    #[must_use]
    pub fn rows(&self) -> i64 {
        self.databases.iter().flat_map(|database| database.contents.tables.values()).map(|table| table.rows).sum()
    }
}

/// A manifest as it was found, with the text that is signed.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) manifest: Manifest,
    pub(crate) text: Vec<u8>,
}

/// Signs a manifest and stores it: first the signature, and last what makes the set a backup.
pub(crate) async fn publish(
    target: &Target,
    manifest: &Manifest,
    signer: &super::signature::SigningKey,
) -> Result<(), BackupError> {
    let internal = |error: serde_json::Error| BackupError::Internal(error.to_string());
    let text = serde_json::to_vec_pretty(manifest).map_err(internal)?;
    target.put_new(&format!("{}/{SIGNATURE}", manifest.id), signer.sign(&text)).await?;
    target.put_new(&format!("{}/{MANIFEST}", manifest.id), text).await
}

/// The manifest of a set; none where there is no such set.
pub(crate) async fn find(target: &Target, id: &str) -> Result<Option<Found>, BackupError> {
    let name = format!("{id}/{MANIFEST}");
    let Some(text) = target.get_small(&name).await? else { return Ok(None) };
    let manifest: Manifest = serde_json::from_slice(&text)
        .map_err(|error| BackupError::damaged(&name, format!("it cannot be read: {error}")))?;
    if manifest.format != FORMAT {
        let reason = format!("its format is {}, and this EStore reads {FORMAT}", manifest.format);
        return Err(BackupError::damaged(name, reason));
    }
    if manifest.id != id {
        return Err(BackupError::damaged(name, format!("it is the manifest of {}", manifest.id)));
    }
    // Names become paths when a set is fetched.
    if let Some(file) = manifest.files.iter().find(|file| !is_plain_name(&file.name)) {
        return Err(BackupError::damaged(name, format!("it names a file {:?}, which no backup has", file.name)));
    }
    Ok(Some(Found { manifest, text }))
}

fn is_plain_name(name: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    !name.is_empty()
        && !name.starts_with('.')
        && name.chars().all(fits)
        && ![MANIFEST, SIGNATURE, VERDICT].contains(&name)
}

/// The signature of a set.
pub(crate) async fn signature(target: &Target, id: &str) -> Result<Signature, BackupError> {
    let name = format!("{id}/{SIGNATURE}");
    let text = target.get_small(&name).await?.ok_or_else(|| BackupError::damaged(&name, "it is missing"))?;
    serde_json::from_slice(&text).map_err(|error| BackupError::damaged(&name, format!("it cannot be read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::is_plain_name;

    #[test]
    fn a_manifest_leads_nowhere_else() {
        assert!(is_plain_name("estore_users.dump.zst.age"));
        for bad in ["", "..", "../x", "a/b", "/etc/passwd", ".hidden", "manifest.json"] {
            assert!(!is_plain_name(bad), "{bad}");
        }
    }
}
