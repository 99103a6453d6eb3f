//! The section `[databases]`.

use std::path::PathBuf;

use estore_kit::db::SILENT_SECONDS_MAX;
use estore_kit::secret::Secret;
use serde::Deserialize;

/// The databases by service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseUrls {
    /// How long a server that owes an answer may say nothing before its connection is given up, in seconds, from 1.
    pub silent_seconds_max: u64,
    /// How long `serve` waits at its start for a database that is away, in seconds.
    pub wait_seconds_max: u64,
    /// A PEM file of who vouches for the servers' certificates; the system's authorities where it is left out.
    pub ca_file: Option<PathBuf>,
    /// Whether servers elsewhere may be reached without TLS, or without the proof that they are the right ones.
    pub allow_insecure: bool,
    /// `estore_users`.
    pub users: DatabaseUrl,
    /// `estore_inventory`.
    pub inventory: DatabaseUrl,
    /// `estore_payments`.
    pub payments: DatabaseUrl,
}

impl Default for DatabaseUrls {
    fn default() -> Self {
        let [users, inventory, payments] = Default::default();
        let (ca_file, allow_insecure) = (None, false);
        let silent_seconds_max = SILENT_SECONDS_MAX;
        Self { silent_seconds_max, wait_seconds_max: 300, ca_file, allow_insecure, users, inventory, payments }
    }
}

/// One database of one's own.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseUrl {
    /// As the application role: `postgresql://estore_users_app:…@host/estore_users`.
    pub url: Option<Secret>,
    /// As the role that does the service's own work: `postgresql://estore_users_writer:…@host/estore_users`. Left out,
    /// it is `url` with that role's name and the same password.
    pub writer_url: Option<Secret>,
    /// As an administrator, for roles and migrations only: `postgresql://postgres:…@host/postgres`.
    pub admin_url: Option<Secret>,
    /// As the role that dumps: `postgresql://estore_backup:…@host/estore_users`; `admin_url` does where it is left out.
    pub backup_url: Option<Secret>,
    /// As the role that looks: `postgresql://estore_monitor:…@host/estore_users`; `url` does where it is left out, and
    /// sees less.
    pub monitor_url: Option<Secret>,
}
