//! By which roles a service connects.

use tokio_postgres::Config;

/// How a service connects, by what it does.
#[derive(Debug, Clone)]
pub struct Logins {
    /// For its own work, as the role that writes.
    pub writer: Config,
    /// For what people look at, as the role that row-level security binds.
    pub app: Config,
}

impl Logins {
    /// The same for a service or command of this name, which the audit log takes down with its changes.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        let given = self.writer.get_options().unwrap_or_default().to_owned();
        self.writer.options(format!("-c estore.service={name} {given}"));
        self
    }
}

impl From<Config> for Logins {
    /// The same login for both.
    fn from(config: Config) -> Self {
        Self { writer: config.clone(), app: config }
    }
}
