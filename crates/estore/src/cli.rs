//! The command line: what can be asked of `estore`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// A commerce backend on PostgreSQL: users, inventory and payments in one binary.
#[derive(Debug, Parser)]
#[command(name = "estore", version, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    pub place: Place,
    #[command(subcommand)]
    pub command: Command,
}

/// Where the configuration and the data are.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// The configuration file (TOML). Every key can also be given as ESTORE_<SECTION>__<KEY>.
    #[arg(long, global = true, value_name = "FILE", env = "ESTORE_CONFIG")]
    pub config: Option<PathBuf>,
    /// The folder of the private PostgreSQL, the secrets and the mail [default: /var/lib/estore as root,
    /// ~/.local/share/estore otherwise].
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run everything: a private PostgreSQL, the three services, mail as files.
    Up {
        /// The address to serve on.
        #[arg(long, value_name = "ADDR")]
        listen: Option<SocketAddr>,
        /// Fill an empty shop with a demonstration catalogue.
        #[arg(long)]
        demo: bool,
    },
    /// Run one service, or all in one process, on the databases named in the configuration.
    Serve {
        /// Which service.
        service: ServeWhat,
        /// The address to serve on.
        #[arg(long, value_name = "ADDR")]
        listen: Option<SocketAddr>,
    },
    /// The databases: run, reach and migrate them.
    #[command(subcommand)]
    Db(Db),
    /// Back the databases up, prove the backups by restoring them, and bring them back.
    #[command(subcommand)]
    Backup(Backup),
    /// Administrators of the shop.
    #[command(subcommand)]
    Admin(Admin),
    /// Bring products or customers in from CSV files.
    #[command(subcommand)]
    Import(Import),
    /// Check every promise on the data of the three databases. Exits with 1 when one is broken.
    Verify {
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Look over configuration, connectivity, versions, clock and disk; name what is wrong and the mend.
    Doctor {
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ServeWhat {
    Users,
    Inventory,
    Payments,
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DatabaseName {
    Users,
    Inventory,
    Payments,
}

#[derive(Debug, Subcommand)]
pub enum Db {
    /// Run the private PostgreSQL alone, migrated, until stopped: for services in processes of their own.
    Run,
    /// Print a URL that psql takes: as the cluster's administrator unless a role is named.
    Url {
        /// Which database.
        database: DatabaseName,
        /// The role to connect as.
        #[arg(long)]
        role: Option<String>,
    },
    /// Apply, take back and check the migrations.
    #[command(subcommand)]
    Migrate(Migrate),
}

#[derive(Debug, Clone, Args)]
pub struct Which {
    /// One database only.
    #[arg(long, value_name = "DATABASE")]
    pub database: Option<DatabaseName>,
    /// A folder of migrations (<version>_<name>/{up,down}.sql) to use after the built-in ones; needs --database.
    #[arg(long, value_name = "FOLDER", requires = "database")]
    pub dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Migrate {
    /// List the migrations and whether each is applied.
    Status {
        #[command(flatten)]
        which: Which,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Apply what is pending.
    Up {
        #[command(flatten)]
        which: Which,
        /// Stop after this version.
        #[arg(long, value_name = "VERSION")]
        to: Option<i64>,
    },
    /// Take migrations back, newest first.
    Down {
        #[command(flatten)]
        which: Which,
        /// Take back everything newer than this version, instead of the newest one only.
        #[arg(long, value_name = "VERSION")]
        to: Option<i64>,
        /// Allow steps that lose data.
        #[arg(long)]
        destructive: bool,
    },
    /// Take the newest migration back and apply it again.
    Redo {
        #[command(flatten)]
        which: Which,
        /// Allow steps that lose data.
        #[arg(long)]
        destructive: bool,
    },
    /// Prove on scratch databases with rows in them that every migration goes up, down and up again.
    Check {
        #[command(flatten)]
        which: Which,
    },
    /// Write the folder of a new migration.
    New {
        /// What it does, in snake_case.
        name: String,
        /// Where to write it.
        #[arg(long, value_name = "FOLDER")]
        dir: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub enum Admin {
    /// Make an administrator. The password is read from standard input.
    Create {
        /// The address to log in with.
        #[arg(long)]
        email: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum Import {
    /// Products: Shopify's columns or our own.
    Products {
        /// The CSV file.
        file: PathBuf,
    },
    /// Customers: email, hashed_password or password, is_verified, is_active, is_admin.
    Customers {
        /// The CSV file.
        file: PathBuf,
    },
}

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
    /// Bring a backup back: into the data directory (a new one), or beside the live databases.
    Restore {
        /// The backup's id.
        #[arg(default_value = "latest")]
        id: String,
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
}
