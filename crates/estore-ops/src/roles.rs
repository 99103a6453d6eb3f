//! The databases, who owns them and who may do what in them.
//!
//! Each database has an owner, which only migrations become, a writer, which does the service's own work, and an
//! application role, which shows people what row-level security lets them see. Neither of the two owns anything.
//! Across all three stand staff, a reader, a monitor and a backup role.

mod bootstrap;
mod database;

use std::collections::BTreeMap;
use std::fmt;

use estore_kit::secret::Secret;

pub use bootstrap::{RolesError, bootstrap};
pub use database::{create_database, drop_database, grant_database, prepare_database};

/// The private cluster's administrator.
pub const ADMINISTRATOR: &str = "postgres";
/// What the application becomes for a statement of staff's; nobody logs in as it.
pub const STAFF: &str = "estore_staff";
/// Reads every table, for people who look.
pub const READER: &str = "estore_readonly";
/// Reads the server's statistics.
pub const MONITOR: &str = "estore_monitor";
/// Reads everything, past row-level security, for dumps.
pub const BACKUP: &str = "estore_backup";

/// A service's database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// `estore_users`.
    Users,
    /// `estore_inventory`.
    Inventory,
    /// `estore_payments`.
    Payments,
}

impl Service {
    /// The three.
    pub const ALL: [Self; 3] = [Self::Users, Self::Inventory, Self::Payments];

    /// `users`, `inventory` or `payments`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Inventory => "inventory",
            Self::Payments => "payments",
        }
    }

    /// The service of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }

    /// The database's name.
    #[must_use]
    pub fn database(self) -> &'static str {
        match self {
            Self::Users => "estore_users",
            Self::Inventory => "estore_inventory",
            Self::Payments => "estore_payments",
        }
    }

    /// The role that owns the database and everything in it.
    #[must_use]
    pub fn owner(self) -> &'static str {
        match self {
            Self::Users => "estore_users_owner",
            Self::Inventory => "estore_inventory_owner",
            Self::Payments => "estore_payments_owner",
        }
    }

    /// The role that does the service's own work: batches of orders, jobs, log-ins. It owns nothing.
    #[must_use]
    pub fn writer(self) -> &'static str {
        match self {
            Self::Users => "estore_users_writer",
            Self::Inventory => "estore_inventory_writer",
            Self::Payments => "estore_payments_writer",
        }
    }

    /// The role that shows people what is theirs; row-level security binds it, and it writes nothing.
    #[must_use]
    pub fn app(self) -> &'static str {
        match self {
            Self::Users => "estore_users_app",
            Self::Inventory => "estore_inventory_app",
            Self::Payments => "estore_payments_app",
        }
    }

    /// The extensions its statements need.
    fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Users | Self::Inventory => &["pg_trgm"],
            Self::Payments => &[],
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Every role of ours, by name.
pub fn all() -> impl Iterator<Item = String> {
    let own = Service::ALL.into_iter().flat_map(|service| [service.owner(), service.writer(), service.app()]);
    own.chain([STAFF, READER, MONITOR, BACKUP]).map(str::to_owned)
}

/// What the private cluster and a PostgreSQL of one's own differ in.
#[derive(Clone, Default)]
pub struct RoleOptions {
    /// Passwords by role, for servers that are reached over the network. An owner with a password
    /// may log in; without one it only lends its rights to the administrator.
    pub passwords: BTreeMap<String, Secret>,
    /// Whether the whole server is ours, so that its other databases are closed to our roles too.
    pub server_is_ours: bool,
    /// The services whose databases this server holds; none named means all three.
    pub services: Vec<Service>,
}

impl fmt::Debug for RoleOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RoleOptions")
            .field("passwords_for", &self.passwords.keys())
            .field("server_is_ours", &self.server_is_ours)
            .field("services", &self.services)
            .finish()
    }
}
