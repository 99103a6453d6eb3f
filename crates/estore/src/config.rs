//! The configuration: one TOML file, overridden by `ESTORE_…` variables; unknown keys are refused by name.

mod backup;
mod edge;
mod metrics;
mod services;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use estore_inventory::InventoryConfig;
use estore_kit::db::SILENT_SECONDS_MAX;
use estore_kit::edge::Rules;
use estore_payments::PaymentsConfig;
use estore_users::UsersConfig;
use serde::Deserialize;

use self::backup::BackupConfig;
use self::edge::EdgeConfig;
pub use self::metrics::MetricsConfig;
pub use self::services::Services;
use crate::cli::Place;
use crate::maintenance::MaintenanceConfig;

/// Variables that are not configuration keys.
const OTHER_VARIABLES: &[&str] = &["ESTORE_CONFIG"];
const OTHER_PREFIXES: &[&str] = &["ESTORE_TEST_", "ESTORE_BENCH_"];

/// Everything that can be set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The folder of the private PostgreSQL, the secrets and the mail.
    pub data_dir: PathBuf,
    /// The address to serve on.
    pub listen: SocketAddr,
    /// The address that clients see, for links in mails; from `listen` when empty.
    pub public_url: String,
    /// What to log, in the syntax of `RUST_LOG`.
    pub log: String,
    /// Whether log lines are JSON objects.
    pub log_json: bool,
    /// How it meets its clients.
    pub edge: EdgeConfig,
    /// How many connections to each database for the service's own work; half as many for what people look at.
    pub connections: usize,
    /// Databases of one's own; the private PostgreSQL where no URL is given.
    pub databases: DatabaseUrls,
    /// Where the other services are, for services in processes of their own.
    pub services: Services,
    /// UserService.
    pub users: UsersConfig,
    /// InventoryService.
    pub inventory: InventoryConfig,
    /// PaymentService.
    pub payments: PaymentsConfig,
    /// Backups.
    pub backup: BackupConfig,
    /// Figures for Prometheus.
    pub metrics: MetricsConfig,
    /// Upkeep of the databases.
    pub maintenance: MaintenanceConfig,
}

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
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseUrl {
    /// As the application role: `postgresql://estore_users_app:…@host/estore_users`.
    pub url: Option<String>,
    /// As the role that does the service's own work: `postgresql://estore_users_writer:…@host/estore_users`. Left out,
    /// it is `url` with that role's name and the same password.
    pub writer_url: Option<String>,
    /// As an administrator, for roles and migrations only: `postgresql://postgres:…@host/postgres`.
    pub admin_url: Option<String>,
    /// As the role that dumps: `postgresql://estore_backup:…@host/estore_users`; `admin_url` does where it is left out.
    pub backup_url: Option<String>,
    /// As the role that looks: `postgresql://estore_monitor:…@host/estore_users`; `url` does where it is left out, and
    /// sees less.
    pub monitor_url: Option<String>,
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |url: &Option<String>| url.as_ref().map(|_| "…");
        f.debug_struct("DatabaseUrl")
            .field("url", &shown(&self.url))
            .field("writer_url", &shown(&self.writer_url))
            .field("admin_url", &shown(&self.admin_url))
            .field("backup_url", &shown(&self.backup_url))
            .field("monitor_url", &shown(&self.monitor_url))
            .finish()
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: default_data_dir(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: String::new(),
            log: "info,tokio_postgres=warn".to_owned(),
            log_json: false,
            edge: EdgeConfig::default(),
            connections: 16,
            databases: DatabaseUrls::default(),
            services: Services::default(),
            users: UsersConfig::default(),
            inventory: InventoryConfig::default(),
            payments: PaymentsConfig::default(),
            backup: BackupConfig::default(),
            metrics: MetricsConfig::default(),
            maintenance: MaintenanceConfig::default(),
        }
    }
}

fn default_data_dir() -> PathBuf {
    if nix::unistd::geteuid().is_root() {
        return PathBuf::from("/var/lib/estore");
    }
    std::env::home_dir().map_or_else(|| PathBuf::from("estore-data"), |home| home.join(".local/share/estore"))
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}: {cause}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
    /// The file is not TOML.
    #[error("the configuration {path} is not valid TOML: {cause}")]
    NotToml {
        /// The file.
        path: String,
        /// Where and why.
        cause: String,
    },
    /// A key is unknown or its value does not fit.
    #[error("the configuration cannot be used: {0}")]
    Wrong(String),
}

impl Config {
    /// Reads the file, lays the environment and the command line over it.
    pub fn load(place: &Place) -> Result<Self, ConfigError> {
        let mut table = match &place.config {
            Some(path) => read(path)?,
            None => toml::Table::new(),
        };
        let mut variables: Vec<(String, String)> =
            std::env::vars().filter(|(name, _)| name.starts_with("ESTORE_") && !is_other(name)).collect();
        variables.sort();
        for (name, value) in variables {
            overlay(&mut table, &name, value)?;
        }
        let mut config: Self = toml::Value::Table(table)
            .try_into()
            .map_err(|error: toml::de::Error| ConfigError::Wrong(on_one_line(&error)))?;
        config.payments.check().map_err(ConfigError::Wrong)?;
        config.maintenance.check().map_err(ConfigError::Wrong)?;
        config.rules().map_err(ConfigError::Wrong)?;
        if let Some(data_dir) = &place.data_dir {
            config.data_dir.clone_from(data_dir);
        }
        config.data_dir = std::path::absolute(&config.data_dir).unwrap_or(config.data_dir);
        Ok(config)
    }

    /// What the edge holds to.
    ///
    /// # Errors
    /// The key at fault, the rule and the mend.
    pub fn rules(&self) -> Result<Rules, String> {
        self.edge.rules(self.public_url().starts_with("https://"))
    }

    /// The URL that clients see.
    pub fn public_url(&self) -> String {
        if self.public_url.is_empty() { format!("http://{}", self.listen) } else { self.public_url.clone() }
    }
}

fn on_one_line(error: &toml::de::Error) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_other(name: &str) -> bool {
    OTHER_VARIABLES.contains(&name) || OTHER_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

fn read(path: &Path) -> Result<toml::Table, ConfigError> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|cause| ConfigError::Unreadable { path: shown.clone(), cause })?;
    text.parse().map_err(|error: toml::de::Error| ConfigError::NotToml {
        path: shown,
        cause: error.to_string().trim_end().to_owned(),
    })
}

/// `ESTORE_USERS__PUBLIC_URL=x` becomes `users.public_url = "x"`; numbers, truth values and lists are read as such.
fn overlay(table: &mut toml::Table, name: &str, value: String) -> Result<(), ConfigError> {
    let keys: Vec<String> = name["ESTORE_".len()..].split("__").map(str::to_ascii_lowercase).collect();
    let Some((last, sections)) = keys.split_last() else { return Ok(()) };
    let mut at = table;
    for section in sections {
        let entry = at.entry(section.clone()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        at = entry
            .as_table_mut()
            .ok_or_else(|| ConfigError::Wrong(format!("{name}: `{section}` is a value, not a section")))?;
    }
    at.insert(last.clone(), read_value(value));
    Ok(())
}

fn read_value(text: String) -> toml::Value {
    if let Ok(truth) = text.parse() {
        return toml::Value::Boolean(truth);
    }
    if let Ok(number) = text.parse() {
        return toml::Value::Integer(number);
    }
    let list = text.starts_with('[').then(|| format!("list = {text}").parse::<toml::Table>().ok()).flatten();
    list.and_then(|mut list| list.remove("list")).unwrap_or(toml::Value::String(text))
}

#[cfg(test)]
mod tests {
    use super::{Config, overlay};

    #[test]
    fn unknown_keys_are_refused_by_name() {
        let mut table: toml::Table = "listen = '127.0.0.1:1'".parse().unwrap();
        overlay(&mut table, "ESTORE_PAYMENTS__CURRENZY", "EUR".to_owned()).unwrap();
        let error = toml::Value::Table(table).try_into::<Config>().unwrap_err().to_string();
        assert!(error.contains("currenzy"), "{error}");
    }

    #[test]
    fn a_variable_may_hold_a_list() {
        let mut table = toml::Table::new();
        let list = r#"["https://shop.example.com", "http://localhost:3000"]"#;
        overlay(&mut table, "ESTORE_EDGE__ALLOWED_ORIGINS", list.to_owned()).unwrap();
        let config: Config = toml::Value::Table(table).try_into().unwrap();
        assert_eq!(config.edge.allowed_origins.len(), 2);
        assert!(config.rules().unwrap().origins.is_some());
        let mut table = toml::Table::new();
        overlay(&mut table, "ESTORE_EDGE__ALLOWED_ORIGINS", "[\"*\"]".to_owned()).unwrap();
        let config: Config = toml::Value::Table(table).try_into().unwrap();
        assert!(config.rules().unwrap_err().starts_with("edge.allowed_origins: "));
    }

    #[test]
    fn secrets_never_print() {
        let table: toml::Table =
            "[services]\nsecret='hush-hush'\n[databases.users]\nurl='postgresql://a:hush@h/d'".parse().unwrap();
        let config: Config = toml::Value::Table(table).try_into().unwrap();
        assert!(!format!("{config:?}").contains("hush"));
    }
}
