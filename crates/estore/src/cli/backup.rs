//! `estore backup …`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::DatabaseName;

/// Where the backups are.
#[derive(Debug, Clone, Args)]
pub struct BackupTarget {
    /// file:///FOLDER, s3://BUCKET/…, gs://BUCKET/… or az://CONTAINER/… [default: backup.target of the configuration].
    /// Credentials come from the environment (AWS_ACCESS_KEY_ID, GOOGLE_SERVICE_ACCOUNT, AZURE_STORAGE_ACCOUNT_NAME, …).
    #[arg(long, value_name = "URL")]
    pub target: Option<String>,
}

/// What opens a backup, and whom to believe.
#[derive(Debug, Clone, Args)]
pub struct BackupKeys {
    /// The file with the age identity (private key) that opens the backup.
    #[arg(long, value_name = "FILE")]
    pub identity: Option<PathBuf>,
    /// Who must have signed it: ed25519:…, or a signing key's file [default: backup.signer of the configuration, else
    /// the key of the data directory].
    #[arg(long, value_name = "KEY")]
    pub signer: Option<String>,
}

/// A moment of the archive that `backup pitr` keeps.
#[derive(Debug, Clone, Args)]
pub struct BackupMoment {
    /// Everything up to this moment and nothing after it: a time with its zone (2026-11-25T14:30:00Z), a place in the
    /// log (0/4018F18), the name of a mark, or `latest`.
    #[arg(long, value_name = "TIME|LSN|NAME", conflicts_with_all = ["database", "beside", "switch", "destructive"])]
    #[arg(conflicts_with_all = ["target", "identity", "signer"])]
    pub to: Option<String>,
    /// Where the archive is [default: backup.pitr.repository of the configuration].
    #[arg(long, value_name = "FOLDER", requires = "to")]
    pub repository: Option<PathBuf>,
    /// The file with its passphrase, a copy of secrets/pitr-passphrase of the shop's data directory [default:
    /// backup.pitr.passphrase_file of the configuration].
    #[arg(long, value_name = "FILE", requires = "to")]
    pub passphrase: Option<PathBuf>,
}

/// How much a base backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BaseKind {
    /// Everything.
    Full,
    /// What has changed since the last full one.
    Diff,
}

/// `estore backup pitr …`.
#[derive(Debug, Subcommand)]
pub enum Pitr {
    /// Archive all that the private PostgreSQL writes, encrypted, into a folder. May be repeated. On a PostgreSQL of
    /// your own, print what to do there.
    Setup {
        /// Where the archive is kept: a folder, best on another disk [default: backup.pitr.repository of the
        /// configuration].
        #[arg(long, value_name = "FOLDER")]
        repository: Option<PathBuf>,
        /// How far back every moment can be brought back [default: backup.pitr.keep_days of the configuration, 14].
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3650))]
        keep_days: Option<u32>,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Send what is written so far, see it arrive, and tell how archiving goes.
    Check {
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Take a base backup, and let go of what is older than is kept.
    Create {
        /// How much it holds [default: full where the last full one is a week old, else diff].
        #[arg(long = "type", value_name = "TYPE")]
        kind: Option<BaseKind>,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Tell what can be brought back: the base backups, the window, the marks.
    Info {
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum Backup {
    /// Make a key pair: the identity, which opens backups, into FILE; the recipient, which makes them, is printed.
    Keygen {
        /// The file of the identity. Keep it away from this machine.
        file: PathBuf,
    },
    /// Back up the databases, all at one moment, encrypted.
    Create {
        #[command(flatten)]
        target: BackupTarget,
        /// Who may read it, age1…; several may be given [default: backup.recipients of the configuration].
        #[arg(long = "recipient", value_name = "AGE1…")]
        recipients: Vec<String>,
        /// Store it so that anybody can read it.
        #[arg(long, conflicts_with = "recipients")]
        unencrypted: bool,
        /// Do not hold writers back: the databases show moments that lie a little apart.
        #[arg(long)]
        no_fence: bool,
        /// Go on without holding writers back where that cannot be had in time.
        #[arg(long, conflicts_with = "no_fence")]
        fence_if_possible: bool,
        /// zstd's level, 1 to 19.
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(i32).range(1..=19))]
        level: i32,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// List the backups: age, size, when they were proven, how long a restore took.
    List {
        #[command(flatten)]
        target: BackupTarget,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Prove a backup: restore it into a private scratch server and check it, level by level.
    Verify {
        /// The backup's id.
        #[arg(default_value = "latest")]
        id: String,
        #[command(flatten)]
        target: BackupTarget,
        #[command(flatten)]
        keys: BackupKeys,
        /// Where the scratch server is made; nothing of it stays [default: in the data directory].
        #[arg(long, value_name = "FOLDER")]
        scratch: Option<PathBuf>,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Bring a backup back: into the data directory (a new one), or beside the live databases; or, with --to, all
    /// databases as they were at any moment that is archived, into a new data directory.
    Restore {
        /// The backup's id.
        #[arg(default_value = "latest")]
        id: String,
        #[command(flatten)]
        moment: BackupMoment,
        #[command(flatten)]
        target: BackupTarget,
        #[command(flatten)]
        keys: BackupKeys,
        /// One database only.
        #[arg(long, value_name = "DATABASE")]
        database: Option<DatabaseName>,
        /// Beside the live databases, as <name>_restored.
        #[arg(long)]
        beside: bool,
        /// Put what was restored beside in the place of the live databases, which are kept as <name>_replaced_….
        #[arg(long, conflicts_with = "beside")]
        switch: bool,
        /// Let go of what stands in the way: the databases of the data directory, or those of an earlier --beside.
        #[arg(long)]
        destructive: bool,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Remove old backups; never the newest proven one, and only files that a manifest lists.
    Prune {
        #[command(flatten)]
        target: BackupTarget,
        /// Keep every set of so many days [default: backup.keep_days of the configuration, 30].
        #[arg(long, value_name = "DAYS")]
        keep_days: Option<u32>,
        /// Keep so many of the newest, whatever their age [default: backup.keep_sets of the configuration, 7].
        #[arg(long, value_name = "SETS")]
        keep_sets: Option<usize>,
        /// Only tell what would be removed.
        #[arg(long)]
        dry_run: bool,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Recovery to any moment: archive all that the private PostgreSQL writes, by pgBackRest.
    #[command(subcommand)]
    Pitr(Pitr),
    /// Give this moment of the archive a name that `restore --to` takes.
    Mark {
        /// The name: letters, digits, `-`, `_` and `.`, a letter first.
        name: String,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
}
