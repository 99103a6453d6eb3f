//! The configuration: one TOML file, overridden by `ESTORE_…` variables; unknown keys are refused by name.

mod backup;
mod databases;
mod edge;
mod error;
mod fields;
mod metrics;
mod rate_limits;
mod services;
mod tls;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use estore_inventory::InventoryConfig;
use estore_kit::edge::{RateLimits, Rules};
use estore_payments::PaymentsConfig;
use estore_users::UsersConfig;
use serde::Deserialize;
use zeroize::Zeroizing;

use self::backup::BackupConfig;
pub use self::databases::{DatabaseUrl, DatabaseUrls};
use self::edge::EdgeConfig;
pub use self::error::ConfigError;
use self::error::{without_the_line, without_the_value};
pub use self::fields::FieldsConfig;
pub use self::metrics::MetricsConfig;
use self::rate_limits::RateLimitsConfig;
pub use self::services::Services;
use self::tls::TlsConfig;
use crate::cli::Place;
use crate::maintenance::MaintenanceConfig;

/// Variables that are not configuration keys.
const OTHER_VARIABLES: &[&str] = &["ESTORE_CONFIG"];
const OTHER_PREFIXES: &[&str] = &["ESTORE_TEST_", "ESTORE_BENCH_"];
/// Keys of secrets. They are texts, such as happen to look like a number or a list too.
pub(crate) const SECRETS: &[&str] =
    &["secret", "token", "api_key", "webhook_secret", "url", "writer_url", "admin_url", "backup_url", "monitor_url"];

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
    /// How clients know that it is us.
    pub tls: TlsConfig,
    /// How often one may change something.
    pub rate_limits: RateLimitsConfig,
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
    /// What is stored sealed, and under which keys.
    pub fields: FieldsConfig,
    /// Backups.
    pub backup: BackupConfig,
    /// Figures for Prometheus.
    pub metrics: MetricsConfig,
    /// Upkeep of the databases.
    pub maintenance: MaintenanceConfig,
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
            tls: TlsConfig::default(),
            rate_limits: RateLimitsConfig::default(),
            connections: 16,
            databases: DatabaseUrls::default(),
            services: Services::default(),
            users: UsersConfig::default(),
            inventory: InventoryConfig::default(),
            payments: PaymentsConfig::default(),
            fields: FieldsConfig::default(),
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

impl Config {
    /// Reads the file, lays the environment and the command line over it.
    pub fn load(place: &Place) -> Result<Self, ConfigError> {
        let text = match &place.config {
            Some(path) => read(path)?,
            None => Zeroizing::default(),
        };
        let file = place.config.as_deref().unwrap_or(Path::new(""));
        let mut config = Self::parse(file, &text, std::env::vars())?;
        if let Some(data_dir) = &place.data_dir {
            config.data_dir.clone_from(data_dir);
        }
        config.data_dir = std::path::absolute(&config.data_dir).unwrap_or(config.data_dir);
        Ok(config)
    }

    /// Reads the text of the file, lays these variables over it and checks what came of it.
    pub(crate) fn parse(
        file: &Path,
        text: &str,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut table = text.parse().map_err(|error| ConfigError::NotToml {
            path: file.display().to_string(),
            cause: without_the_line(text, &error),
        })?;
        let mut variables: Vec<(String, String)> =
            variables.filter(|(name, _)| name.starts_with("ESTORE_") && !is_other(name)).collect();
        variables.sort();
        for (name, value) in variables {
            overlay(&mut table, &name, value)?;
        }
        let config: Self = toml::Value::Table(table)
            .try_into()
            .map_err(|error: toml::de::Error| ConfigError::Wrong(without_the_value(&error)))?;
        config.payments.check().map_err(ConfigError::Wrong)?;
        config.fields.check().map_err(ConfigError::Wrong)?;
        config.maintenance.check().map_err(ConfigError::Wrong)?;
        config.tls.check().map_err(ConfigError::Wrong)?;
        config.services.check().map_err(ConfigError::Wrong)?;
        config.rules().map_err(ConfigError::Wrong)?;
        config.rates().map_err(ConfigError::Wrong)?;
        Ok(config)
    }

    /// What the edge holds to.
    ///
    /// # Errors
    /// The key at fault, the rule and the mend.
    pub fn rules(&self) -> Result<Rules, String> {
        self.edge.rules(self.tls.is_on() || self.public_url.starts_with("https://"))
    }

    /// How often one may change something.
    ///
    /// # Errors
    /// The key at fault, the rule and the mend.
    pub fn rates(&self) -> Result<RateLimits, String> {
        self.rate_limits.limits()
    }

    /// The URL that clients see.
    pub fn public_url(&self) -> String {
        let scheme = if self.tls.is_on() { "https" } else { "http" };
        if self.public_url.is_empty() { format!("{scheme}://{}", self.listen) } else { self.public_url.clone() }
    }
}

fn is_other(name: &str) -> bool {
    OTHER_VARIABLES.contains(&name) || OTHER_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

fn read(path: &Path) -> Result<Zeroizing<String>, ConfigError> {
    let text = std::fs::read_to_string(path).map(Zeroizing::new);
    text.map_err(|cause| ConfigError::Unreadable { path: path.display().to_string(), cause })
}

/// `ESTORE_USERS__PUBLIC_URL=x` becomes `users.public_url = "x"`; numbers, truth values, lists and tables are read as such.
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
    let value = if SECRETS.contains(&last.as_str()) { toml::Value::String(value) } else { read_value(value) };
    at.insert(last.clone(), value);
    Ok(())
}

fn read_value(text: String) -> toml::Value {
    if let Ok(truth) = text.parse() {
        return toml::Value::Boolean(truth);
    }
    if let Ok(number) = text.parse() {
        return toml::Value::Integer(number);
    }
    let written = text.starts_with(['[', '{']).then(|| format!("value = {text}").parse::<toml::Table>().ok()).flatten();
    written.and_then(|mut written| written.remove("value")).unwrap_or(toml::Value::String(text))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Config, overlay};

    #[test]
    fn unknown_keys_are_refused_by_name() {
        let mut table: toml::Table = "listen = '127.0.0.1:1'".parse().unwrap();
        overlay(&mut table, "ESTORE_PAYMENTS__CURRENZY", "EUR".to_owned()).unwrap();
        let error = toml::Value::Table(table).try_into::<Config>().unwrap_err().to_string();
        assert!(error.contains("currenzy"), "{error}");
    }

    #[test]
    fn a_variable_may_hold_a_list_or_a_table() {
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
        let mut table = toml::Table::new();
        overlay(&mut table, "ESTORE_RATE_LIMITS__ROUTES", r#"{ "POST /v1/orders" = 600 }"#.to_owned()).unwrap();
        let config: Config = toml::Value::Table(table).try_into().unwrap();
        assert_eq!(config.rates().unwrap().routes.len(), 1);
    }

    #[test]
    fn what_is_wrong_is_told_without_what_stands_there() {
        let none = std::iter::empty;
        let error = |text: &str| Config::parse(Path::new("shop.toml"), text, none()).unwrap_err().to_string();
        let cut = error("listen = '127.0.0.1:1'\n  databases.users.url = 'postgresql://a:hush@h/d\n");
        assert!(cut.contains("shop.toml") && cut.contains("line 2, column ") && !cut.contains("hush"), "{cut}");
        let flat = error("[databases]\nusers = 'postgresql://a:hush, expected@h/d'");
        assert!(flat.contains("databases.users") && flat.contains("expected") && !flat.contains("hush"), "{flat}");
        let digits = ("ESTORE_SERVICES__USERS_URL".to_owned(), "1234567890".to_owned());
        let digits = Config::parse(Path::new(""), "", std::iter::once(digits)).unwrap_err().to_string();
        assert!(digits.contains("users_url") && !digits.contains("1234567890"), "{digits}");
    }

    #[test]
    fn a_secret_may_look_like_a_number() {
        let digits = "12345678901234567890123456789012";
        let variable = ("ESTORE_SERVICES__SECRET".to_owned(), digits.to_owned());
        let config = Config::parse(Path::new(""), "", std::iter::once(variable)).unwrap();
        assert_eq!(config.services.secret.unwrap().reveal(), digits);
    }

    #[test]
    fn secrets_never_print() {
        let table: toml::Table =
            "[services]\nsecret='hush-hush'\n[databases.users]\nurl='postgresql://a:hush@h/d'".parse().unwrap();
        let config: Config = toml::Value::Table(table).try_into().unwrap();
        assert!(!format!("{config:?}").contains("hush"));
    }
}
