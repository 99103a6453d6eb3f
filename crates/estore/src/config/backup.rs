//! The sections of backups.

use std::path::PathBuf;

use serde::Deserialize;

/// The section `[backup]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BackupConfig {
    /// Where backups go: `file:///…`, `s3://…`, `gs://…` or `az://…`.
    pub target: Option<String>,
    /// Who may read them: `age1…`.
    pub recipients: Vec<String>,
    /// Who signs them, `ed25519:…`, where it is not the key of the data directory.
    pub signer: Option<String>,
    /// When the server takes one, in cron's syntax and the machine's time; `never` for no schedule. Left out, `up` takes
    /// one at three each night once it has a target and a recipient, and `serve` takes none.
    pub schedule: Option<String>,
    /// Sets of so many days are kept.
    pub keep_days: u32,
    /// So many of the newest sets are kept, whatever their age.
    pub keep_sets: usize,
    /// Recovery to any moment.
    pub pitr: PitrConfig,
}

impl Default for BackupConfig {
    fn default() -> Self {
        Self {
            target: None,
            recipients: Vec::new(),
            signer: None,
            schedule: None,
            keep_days: 30,
            keep_sets: 7,
            pitr: PitrConfig::default(),
        }
    }
}

/// The section `[backup.pitr]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PitrConfig {
    /// Where the archive is kept: a folder.
    pub repository: Option<PathBuf>,
    /// The file with its passphrase, where it is not the data directory's own.
    pub passphrase_file: Option<PathBuf>,
    /// How far back every moment can be brought back, in days, from 1.
    pub keep_days: u32,
    /// When the server takes a base backup, in cron's syntax and the machine's time; `never` for no schedule. Left out,
    /// `up` takes one at two each night once archiving is set up, and `db run` and `serve` take none.
    pub schedule: Option<String>,
}

impl Default for PitrConfig {
    fn default() -> Self {
        Self { repository: None, passphrase_file: None, keep_days: 14, schedule: None }
    }
}
