//! Where each service's database is: on a server of one's own, or in the private cluster.

use estore_kit::db::{self, Logins};
use estore_kit::migration::Migration;
use estore_kit::secret::Secret;
use estore_ops::backup::Source;
use estore_ops::postgres::ClusterAddress;
use estore_ops::roles::{ADMINISTRATOR, BACKUP, MONITOR, RoleOptions, Service};
use tokio_postgres::Config as Connect;
use tokio_postgres::config::Host;
use zeroize::Zeroizing;

use crate::config::{Config, DatabaseUrl};

/// The three databases' addresses.
#[derive(Debug, Clone)]
pub struct Databases {
    own: Vec<(Service, DatabaseUrl)>,
    private: ClusterAddress,
    allow_insecure: bool,
}

/// A database that cannot be addressed.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// The URL does not parse; it is not shown, since it may hold a password.
    #[error("databases.{service}.{key} is not a URL that PostgreSQL takes: {cause}")]
    Malformed {
        /// Whose.
        service: Service,
        /// `url`, `writer_url`, `admin_url`, `backup_url` or `monitor_url`.
        key: &'static str,
        /// Why.
        cause: tokio_postgres::Error,
    },
    /// Somebody on the way could listen in.
    #[error(
        "databases.{service}.{key} leaves this machine with sslmode=disable: whoever is on the way could read and change \
         everything. Take that out of the URL; where the way is protected otherwise, set databases.allow_insecure = true"
    )]
    Insecure {
        /// Whose.
        service: Service,
        /// Which URL.
        key: &'static str,
    },
    /// Roles and migrations need more rights than the application has.
    #[error(
        "set databases.{0}.admin_url to migrate and maintain a database of your own (a URL as the server's administrator)"
    )]
    NoAdministrator(Service),
    /// Nobody may read every row.
    #[error("set databases.{0}.backup_url to back up a database of your own (a URL as estore_backup)")]
    NoBackup(Service),
}

impl Databases {
    /// As configured; services without a URL live in the cluster of the data directory.
    pub fn of(config: &Config) -> Self {
        let urls = &config.databases;
        let own = [
            (Service::Users, urls.users.clone()),
            (Service::Inventory, urls.inventory.clone()),
            (Service::Payments, urls.payments.clone()),
        ];
        let allow_insecure = urls.allow_insecure;
        Self { own: own.into(), private: ClusterAddress::of(&config.data_dir), allow_insecure }
    }

    /// Whether the private cluster is needed for any of these services.
    pub fn needs_private(&self, services: &[Service]) -> bool {
        services.iter().any(|service| self.own_url(*service).is_none())
    }

    /// Whether this service's database is in the private cluster.
    pub fn is_private(&self, service: Service) -> bool {
        self.own_url(service).is_none()
    }

    /// How the service itself connects: for its own work, and for what people look at.
    pub fn logins(&self, service: Service) -> Result<Logins, AddressError> {
        let Some(own) = self.own_url(service) else {
            let login = |role| self.private.config_for(service.database(), role);
            return Ok(Logins { writer: login(service.writer()), app: login(service.app()) });
        };
        let app = self.parse(service, "url", own.url.as_ref().map_or("", Secret::reveal))?;
        let writer = match own.writer_url.as_ref().map(Secret::reveal) {
            Some(url) => self.parse(service, "writer_url", url)?,
            None => {
                let mut writer = app.clone();
                writer.user(service.writer());
                writer
            }
        };
        Ok(Logins { writer, app })
    }

    /// How the server's administrator connects to its maintenance database.
    pub fn administrator(&self, service: Service) -> Result<Connect, AddressError> {
        let Some(own) = self.own_url(service) else { return Ok(self.private.config_for("postgres", ADMINISTRATOR)) };
        let url = own.admin_url.as_ref().map(Secret::reveal).ok_or(AddressError::NoAdministrator(service))?;
        self.parse(service, "admin_url", url)
    }

    /// A login, and a safe one where it leaves this machine, unless the configuration does without. `sslmode` may say
    /// what libpq's does: our driver knows no TLS without a look at the certificate.
    fn parse(&self, service: Service, key: &'static str, url: &str) -> Result<Connect, AddressError> {
        let url = Zeroizing::new(url.replace("sslmode=verify-full", "sslmode=require"));
        let url = Zeroizing::new(url.replace("sslmode=verify-ca", "sslmode=require"));
        let config: Connect = url.parse().map_err(|cause| AddressError::Malformed { service, key, cause })?;
        if self.allow_insecure {
            return Ok(config);
        }
        db::secured(config).ok_or(AddressError::Insecure { service, key })
    }

    /// Says in the log which servers are reached without a proof that they are the right ones.
    pub fn warn_of_insecure(&self, services: &[Service]) {
        for &service in services.iter().filter(|_| self.allow_insecure) {
            if self.logins(service).is_ok_and(|logins| db::is_remote(&logins.writer)) {
                tracing::warn!(%service, "databases.allow_insecure: its database is elsewhere, and whoever is on the \
                    way may read and change what goes there");
            }
        }
    }

    /// How the database is backed up: dumped as a role that reads every row, its writers held back by one that may.
    pub fn backup(&self, service: Service) -> Result<Source, AddressError> {
        let writer = self.logins(service)?.writer;
        let database = writer.get_dbname().unwrap_or(service.database()).to_owned();
        let within = |mut config: Connect| {
            config.dbname(&database);
            config
        };
        let administrator = self.administrator(service).map(within);
        let dump = match self.own_url(service).and_then(|own| own.backup_url.as_ref()) {
            Some(url) => self.parse(service, "backup_url", url.reveal())?,
            None if self.is_private(service) => self.private.config_for(&database, BACKUP),
            None => administrator.as_ref().map_err(|_| AddressError::NoBackup(service))?.clone(),
        };
        let fence = administrator.unwrap_or(writer);
        Ok(Source { service, database, dump, fence })
    }

    /// How the database is looked at: by the monitor's role, or by the service's own, which sees less.
    pub fn monitor(&self, service: Service) -> Result<Connect, AddressError> {
        let writer = self.logins(service)?.writer;
        let Some(own) = self.own_url(service) else {
            return Ok(self.private.config_for(service.database(), MONITOR));
        };
        let Some(url) = own.monitor_url.as_ref().map(Secret::reveal) else { return Ok(writer) };
        let mut config = self.parse(service, "monitor_url", url)?;
        config.dbname(writer.get_dbname().unwrap_or(service.database()));
        Ok(config)
    }

    /// What the server of a service's database is called in figures: `private`, or where it is.
    pub fn server_name(&self, service: Service) -> Result<String, AddressError> {
        if self.is_private(service) {
            return Ok("private".to_owned());
        }
        let writer = self.logins(service)?.writer;
        let hosts = writer.get_hosts().iter().enumerate().map(|(at, host)| {
            let port = writer.get_ports().get(at).or(writer.get_ports().first()).copied().unwrap_or(5432);
            match host {
                Host::Tcp(name) => format!("{name}:{port}"),
                Host::Unix(folder) => format!("{}:{port}", folder.display()),
            }
        });
        Ok(hosts.collect::<Vec<_>>().join(","))
    }

    /// The servers that hold these services' databases: how the administrator connects to each, and what its
    /// roles need. Passwords come out of the services' own URLs.
    pub fn servers(&self, services: &[Service]) -> Result<Vec<(Connect, RoleOptions)>, AddressError> {
        let mut servers: Vec<(Connect, RoleOptions)> = Vec::new();
        for &service in services {
            let administrator = self.administrator(service)?;
            let known = servers.iter().position(|(server, _)| *server == administrator);
            let at = known.unwrap_or(servers.len());
            if known.is_none() {
                let options = RoleOptions { server_is_ours: self.is_private(service), ..RoleOptions::default() };
                servers.push((administrator, options));
            }
            let options = &mut servers[at].1;
            options.services.push(service);
            let dump =
                if self.is_private(service) { None } else { self.backup(service).ok().map(|source| source.dump) };
            // A URL of another's to dump as is none of our business.
            let dump = dump.filter(|dump| dump.get_user() == Some(BACKUP));
            let Logins { writer, app } = self.logins(service)?;
            for config in [Some(writer), Some(app), dump].iter().flatten() {
                if let (Some(user), Some(password)) = (config.get_user(), config.get_password()) {
                    options
                        .passwords
                        .insert(user.to_owned(), Secret::new(String::from_utf8_lossy(password).into_owned()));
                }
            }
        }
        Ok(servers)
    }

    /// A URL that psql takes.
    pub fn url(&self, service: Service, role: Option<&str>) -> Result<String, AddressError> {
        match self.own_url(service) {
            None => Ok(self.private.url_for(service.database(), role.unwrap_or(ADMINISTRATOR))),
            Some(own) => {
                let url = match role {
                    None => Some(own.admin_url.as_ref().ok_or(AddressError::NoAdministrator(service))?),
                    Some(role) if role == service.writer() => own.writer_url.as_ref().or(own.url.as_ref()),
                    Some(_) => own.url.as_ref(),
                };
                Ok(retarget(url.map_or("", Secret::reveal), service.database(), role))
            }
        }
    }

    fn own_url(&self, service: Service) -> Option<&DatabaseUrl> {
        self.own.iter().find(|(named, own)| *named == service && own.url.is_some()).map(|(_, own)| own)
    }
}

/// Points a URL at another database and, where a role is named, another user without a password.
fn retarget(url: &str, database: &str, role: Option<&str>) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("postgresql", url));
    let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (server, _path) = authority.split_once('/').unwrap_or((authority, ""));
    let (user, host) = server.rsplit_once('@').map_or(("", server), |(user, host)| (user, host));
    let same = role.is_none_or(|role| user.split(':').next() == Some(role));
    let user = if same { user } else { role.unwrap_or_default() };
    let at = if user.is_empty() { "" } else { "@" };
    let query = if query.is_empty() { String::new() } else { format!("?{query}") };
    format!("{scheme}://{user}{at}{host}/{database}{query}")
}

/// The migrations of a service's database.
pub fn migrations(service: Service) -> &'static [Migration] {
    match service {
        Service::Users => estore_users::MIGRATIONS,
        Service::Inventory => estore_inventory::MIGRATIONS,
        Service::Payments => estore_payments::MIGRATIONS,
    }
}

#[cfg(test)]
mod tests {
    use super::retarget;

    #[test]
    fn a_url_is_pointed_at_its_database_and_role() {
        let url = "postgresql://postgres:pw@db:5432/postgres?sslmode=require";
        assert_eq!(
            retarget(url, "estore_users", None),
            "postgresql://postgres:pw@db:5432/estore_users?sslmode=require"
        );
        assert_eq!(
            retarget(url, "estore_users", Some("estore_readonly")),
            "postgresql://estore_readonly@db:5432/estore_users?sslmode=require"
        );
    }
}
