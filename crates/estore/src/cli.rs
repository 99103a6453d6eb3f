//! The command line: what can be asked of `estore`.

mod audit;
mod backup;
mod keys;
mod maintain;
mod partition;
mod stats;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use estore_users::Role;

pub use audit::{Audit, AuditRotateKey, AuditShow, AuditVerify, NotedSeal};
pub use backup::{Backup, BackupKeys, BackupMoment, BackupTarget, BaseKind, Pitr};
pub use keys::Keys;
pub use maintain::Maintain;
pub use partition::{Partition, PartitionTable};
pub use stats::{Stats, duration};

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
        /// The address to serve on [default: `listen` of the configuration, 127.0.0.1:8080].
        #[arg(long, value_name = "ADDR")]
        listen: Option<SocketAddr>,
        /// Fill an empty shop with a demonstration catalogue.
        #[arg(long)]
        demo: bool,
    },
    /// Run one service, or all in one process, on the databases named in the configuration, or else on the private
    /// PostgreSQL that `estore db run` keeps. They must have been migrated.
    Serve {
        /// Which service.
        service: ServeWhat,
        /// The address to serve on [default: `listen` of the configuration, 127.0.0.1:8080].
        #[arg(long, value_name = "ADDR")]
        listen: Option<SocketAddr>,
    },
    /// The databases: run, reach, migrate, watch and maintain them.
    #[command(subcommand)]
    Db(Db),
    /// Back the databases up, prove the backups by restoring them, and bring them back.
    #[command(subcommand)]
    Backup(Backup),
    /// Administrators of the shop, and who may do what.
    #[command(subcommand)]
    Admin(Admin),
    /// Bring products or customers in from CSV files: all of a file, or nothing.
    #[command(subcommand)]
    Import(Import),
    /// Check every promise on the data of the three databases. Exits with 1 when one is broken.
    Verify {
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Who changed what: the log that the databases keep of it.
    #[command(subcommand)]
    Audit(Audit),
    /// The keys that personal fields are sealed under: list them, make a new one, seal what is in plain.
    #[command(subcommand)]
    Keys(Keys),
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
        /// The role to connect as, such as estore_payments_app or estore_readonly.
        #[arg(long)]
        role: Option<String>,
    },
    /// Apply, take back and check the migrations.
    #[command(subcommand)]
    Migrate(Migrate),
    /// Do the upkeep that is due, one thing at a time, while the shop goes on: vacuum, analyze, reindex, partitions, purge.
    Maintain(Maintain),
    /// Tell what the databases are doing: slow statements, cache, sizes, indexes, connections, locks, numbers left.
    /// Exits with 1 when a database does not answer.
    Stats(Stats),
    /// Turn a large table into partitions by id, or back into one table, while the shop sells. What was cut is gone on
    /// with by running it again.
    Partition(Partition),
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
    /// Make an administrator. The password is the first line of standard input: `estore admin create --email E < FILE`.
    Create {
        /// The address to log in with.
        #[arg(long)]
        email: String,
    },
    /// Give an account roles, whose address is proved: `estore admin grant --email E orders refunds`.
    Grant {
        #[command(flatten)]
        roles: Roles,
    },
    /// Take roles from an account, which is logged out then.
    Revoke {
        #[command(flatten)]
        roles: Roles,
    },
    /// Have an account log in by its password alone, whose owner has lost the authenticator, the passkeys and the recovery
    /// codes. All of these end. Make sure that it is the owner who asks; they are written to.
    ForgetSecondFactor {
        /// The address of the account.
        #[arg(long)]
        email: String,
    },
}

#[derive(Debug, Clone, Args)]
pub struct Roles {
    /// The address of the account, which has registered.
    #[arg(long)]
    pub email: String,
    /// Which. `staff` handles orders and gives money back, `admin` may do everything; each other one gives the
    /// permission of its name.
    #[arg(required = true, value_name = "ROLE", value_parser = PossibleValuesParser::new(Role::ALL.map(Role::word)).try_map(role))]
    pub roles: Vec<Role>,
}

fn role(word: String) -> Result<Role, String> {
    Role::of(&word).ok_or_else(|| format!("{word} is no role"))
}

#[derive(Debug, Subcommand)]
pub enum Import {
    /// Products: Shopify's columns, old or new, or our own: name and price, and where wanted id, sku, description,
    /// quantity, category, image_url, min_stock_level, is_active, metadata. What is known already is changed.
    Products {
        /// The CSV file.
        file: PathBuf,
    },
    /// Customers: email, hashed_password (Argon2id or bcrypt) or password, and where wanted is_verified, is_active,
    /// is_admin (with is_verified). Addresses that have an account stay as they are. Who is not said to be verified logs
    /// in after a letter.
    Customers {
        /// The CSV file.
        file: PathBuf,
    },
}
