//! A real PostgreSQL for tests, shared by all test processes, and a fresh database for each test.
//!
//! ```no_run
//! use estore_testkit::cluster::TestCluster;
//! # const MIGRATIONS: &[estore_kit::migration::Migration] = &[];
//! # async fn test() {
//! let database = TestCluster::shared().await.database("payments", MIGRATIONS).await;
//! let db = estore_kit::db::Db::new(database.logins(), 8); // as the service connects, by both of its roles
//! let owner = database.owner_config(); // as migrations do: may change the schema and seed rows
//! let admin = database.admin_config(); // as the administrator: sees past row-level security
//! # }
//! ```
//!
//! The database has the migrations applied (migrated once for each set of them, then copied) and is
//! dropped with the `TestDatabase`, so hold on to it for the whole test. The server forces nothing
//! to disk. It is started by the first test that needs it, stays for the next ones, and ends itself
//! some 20 seconds after the last. `ESTORE_TEST_CLUSTER`, a URL of an administrator such as
//! `postgresql:///postgres?host=/run/x&user=postgres`, makes the tests use another server.
//! Panics are this module's error handling: a test without its database has failed.

mod server;
mod template;

use std::thread;

use estore_kit::db::Logins;
use estore_kit::migration::Migration;
use estore_ops::connection::Connection;
use estore_ops::migrate::{Seed, check, compare_with_specification, silent};
use estore_ops::roles::{self, RoleOptions, Service};
use tokio_postgres::Config;
use uuid::Uuid;

/// The server the tests share.
#[derive(Debug, Clone)]
pub struct TestCluster {
    administrator: Config,
}

impl TestCluster {
    /// The shared server, started if it does not run, with its roles in place.
    ///
    /// # Panics
    /// When there is no PostgreSQL to be had.
    pub async fn shared() -> Self {
        let administrator = match std::env::var("ESTORE_TEST_CLUSTER") {
            Ok(url) => {
                let config: Config = url.parse().expect("ESTORE_TEST_CLUSTER is a PostgreSQL URL");
                let options = RoleOptions::default();
                roles::bootstrap(&config, &options).await.expect("the roles can be made on ESTORE_TEST_CLUSTER");
                config
            }
            Err(_) => server::shared().await,
        };
        Self { administrator }
    }

    /// How the administrator connects, to the administration database.
    #[must_use]
    pub fn admin_config(&self) -> Config {
        self.administrator.clone()
    }

    /// A fresh database of a service (`users`, `inventory` or `payments`) with these migrations.
    ///
    /// # Panics
    /// When the service is unknown or a migration fails.
    pub async fn database(&self, service: &str, migrations: &[Migration]) -> TestDatabase {
        let service = Service::named(service).expect("a service is users, inventory or payments");
        let template = template::ensure(&self.administrator, service, migrations).await;
        let name = format!("{}_test_{}", service.database(), &Uuid::new_v4().simple().to_string()[..16]);
        let connection = Connection::open(&self.administrator).await.expect("the test server answers");
        roles::create_database(&connection, &name, service, Some(&template)).await.expect("the template is copied");
        TestDatabase { administrator: self.administrator.clone(), service, name }
    }

    /// Proves that a service's migrations go up, down and up again, with these rows (version, SQL)
    /// put in once the migration of that version stands.
    ///
    /// # Panics
    /// With every difference by name.
    pub async fn check_migrations(&self, service: &str, migrations: &[Migration], seeds: &[(i64, &'static str)]) {
        let service = Service::named(service).expect("a service is users, inventory or payments");
        let seeds: Vec<Seed> = seeds.iter().map(|&(version, sql)| Seed { version, sql }).collect();
        let checked = check(migrations, service, &self.administrator, &seeds, &mut silent).await;
        checked.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Asserts that a service's tables are the specification's, column for column and index name
    /// for index name; `specification` is the whole file, of which the part after
    /// `-- db: <service>` is meant.
    ///
    /// # Panics
    /// With every difference by name.
    pub async fn assert_specified(&self, service: &str, migrations: &[Migration], specification: &str) {
        let part = specification.split("-- db: ").find_map(|part| part.strip_prefix(service));
        let part = part.expect("the specification has a part for the service");
        let (migrated, empty) = (self.database(service, migrations).await, self.empty_database(service).await);
        let compared = compare_with_specification(&migrated.owner_config(), &empty.owner_config(), part).await;
        let differences = compared.unwrap_or_else(|error| panic!("{error}"));
        assert!(differences.is_empty(), "{}", differences.join("\n"));
    }

    /// A fresh database of a service without any migration, for tests of migrations.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn empty_database(&self, service: &str) -> TestDatabase {
        self.database(service, &[]).await
    }
}

/// One test's database; dropped with this value.
#[derive(Debug)]
pub struct TestDatabase {
    administrator: Config,
    service: Service,
    name: String,
}

impl TestDatabase {
    /// The database's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The service it belongs to.
    #[must_use]
    pub fn service(&self) -> Service {
        self.service
    }

    /// How the service connects: by two roles, which own nothing.
    ///
    /// On `ESTORE_TEST_CLUSTER` they must be let in without a password.
    #[must_use]
    pub fn logins(&self) -> Logins {
        Logins { writer: self.config_as(self.service.writer()), app: self.app_config() }
    }

    /// How the application connects, which shows people what is theirs; in a database without the service's own
    /// migrations it has the rights that it had before there was a writer.
    #[must_use]
    pub fn app_config(&self) -> Config {
        self.config_as(self.service.app())
    }

    /// How migrations connect: the administrator, having become the owner.
    #[must_use]
    pub fn owner_config(&self) -> Config {
        let mut config = self.admin_config();
        config.options(format!("-c role={}", self.service.owner()));
        config
    }

    /// How the administrator connects to it.
    #[must_use]
    pub fn admin_config(&self) -> Config {
        let mut config = self.administrator.clone();
        config.dbname(&self.name);
        config
    }

    /// How another role, such as `estore_readonly` or `estore_backup`, connects.
    #[must_use]
    pub fn config_as(&self, role: &str) -> Config {
        let mut config = self.admin_config();
        config.user(role);
        config
    }

    /// The same for the runner of migrations.
    #[must_use]
    pub fn migrated(&self) -> estore_ops::migrate::Database {
        estore_ops::migrate::Database::of(self.service, self.admin_config())
    }

    /// A URL for programs that take one, as a role; only for servers on a unix socket.
    ///
    /// # Panics
    /// When the server is reached over TCP.
    #[must_use]
    pub fn url_as(&self, role: &str) -> String {
        match self.administrator.get_hosts().first() {
            Some(tokio_postgres::config::Host::Unix(folder)) => {
                estore_ops::postgres::ClusterAddress::at(folder).url_for(&self.name, role)
            }
            _ => panic!("the test server is not on a unix socket"),
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // A runtime of its own: the test's may be shutting down, or panicking.
        let (administrator, name) = (self.administrator.clone(), self.name.clone());
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async {
                if let Ok(connection) = Connection::open(&administrator).await {
                    // What stays is removed when the server next starts.
                    drop(roles::drop_database(&connection, &name).await);
                }
            });
        });
        drop(dropping.join());
    }
}
