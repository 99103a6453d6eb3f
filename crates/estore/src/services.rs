//! Wires services together: alone it decides whether a neighbour is an object here or an HTTP client.

mod figures;
mod rates;

use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use estore_api::customers::CustomersClient;
use estore_api::events::{EventsApi, EventsClient};
use estore_api::inventory::{InventoryApi, InventoryClient};
use estore_api::neighbour::Neighbour;
use estore_api::users::{UsersClient, follow_ended_sessions};
use estore_inventory::Inventory;
use estore_kit::auth::{Revocations, Verifier};
use estore_kit::db::Db;
use estore_kit::edge::{Rules, Site};
use estore_kit::metrics::CountersBy;
use estore_kit::service_auth::{ServiceDoor, ServiceSecret};
use estore_kit::service_client::ServiceClient;
use estore_ops::roles::Service;
use estore_payments::{Payments, PaymentsConfig};
use estore_users::{Users, UsersConfig};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

use crate::config::Config;
use crate::databases::Databases;
use crate::health::Health;
use crate::health::warnings::Warnings;
use crate::metrics::Metrics;
use crate::metrics::backups::BackupWatch;
use crate::{fields, openapi, secrets, watched};

/// How long the published keys may be waited for.
const KEYS_TIME_MAX: Duration = Duration::from_secs(5);

/// Whatever stops a start.
type StartResult<T> = Result<T, Box<dyn std::error::Error>>;

/// The services of this process.
#[derive(Clone)]
pub struct Services {
    pub users: Option<Users>,
    pub inventory: Option<Inventory>,
    payments: Option<Payments>,
    verifier: Arc<Verifier>,
    /// Sessions whose access tokens are refused before they expire.
    revocations: Arc<Revocations>,
    /// Who tells of such sessions and knows API keys, where UserService is in another process.
    sessions: Option<UsersClient>,
    /// Who delivers events.
    events: Arc<dyn EventsApi>,
    /// What services in other processes show when they come in; nothing where there are none.
    secret: Option<ServiceSecret>,
    health: Health,
    metrics: Arc<Metrics>,
    warnings: Arc<Warnings>,
    /// Requests that were refused because there were too many, by limit.
    limited: Arc<CountersBy>,
}

fn pool(service: Service, config: &Config, databases: &Databases) -> StartResult<Db> {
    let silent_max = Duration::from_secs(config.databases.silent_seconds_max.max(1));
    Ok(Db::with_patience(databases.logins(service)?.named(service.name()), config.connections, silent_max)?)
}

impl Services {
    /// Starts the services of `what` on their databases.
    pub async fn start(what: &[Service], config: &Config, databases: &Databases) -> StartResult<Self> {
        databases.warn_of_insecure(what);
        let pool = |service| what.contains(&service).then(|| pool(service, config, databases)).transpose();
        let (users_db, inventory_db, payments_db) =
            (pool(Service::Users)?, pool(Service::Inventory)?, pool(Service::Payments)?);
        let pools =
            [(Service::Users, &users_db), (Service::Inventory, &inventory_db), (Service::Payments, &payments_db)];
        let (here, looked_at): (Vec<Service>, Vec<Db>) =
            pools.into_iter().filter_map(|(service, db)| Some((service, db.clone()?))).unzip();

        let users = match users_db {
            Some(db) => Some(Users::start(db, users_config(config)?).await?),
            None => None,
        };
        let inventory = match inventory_db {
            Some(db) => Some(Inventory::start(db, config.inventory.clone()).await?),
            None => None,
        };
        let payments = match payments_db {
            Some(db) => {
                let neighbour = inventory_for_payments(inventory.as_ref(), config)?;
                Some(Payments::start(db, payments_config(config)?, neighbour).await?)
            }
            None => None,
        };
        let caller = what.first().map_or("estore", |service| service.name());
        let events: Arc<dyn EventsApi> = match &payments {
            Some(payments) => Arc::new(payments.clone()),
            None => Arc::new(EventsClient(neighbour(config, (caller, "payments"), &config.services.payments_url)?)),
        };
        introduce(users.as_ref(), payments.as_ref(), config)?;
        let is_whole = users.is_some() && inventory.is_some() && payments.is_some();
        let secret = if is_whole { None } else { Some(service_secret(config)?) };
        let elsewhere = || neighbour(config, (caller, "users"), &config.services.users_url).map(UsersClient);
        let sessions = users.is_none().then(elsewhere).transpose()?;
        let revocations = users.as_ref().map(Users::revocations).unwrap_or_default();
        let verifier = Arc::new(verifier(users.as_ref(), sessions.as_ref(), config)?.heeding(Arc::clone(&revocations)));
        let (watched, backups) = (watched::of(&here, databases)?, BackupWatch::of(config));
        let metrics = Arc::new(Metrics::new(config, Arc::clone(&watched), backups.clone())?);
        let warnings = Arc::new(Warnings::new(config, Arc::clone(&watched), databases, backups));
        let health = Health {
            databases: looked_at.into(),
            watched: Arc::clone(&watched),
            revocations: Arc::clone(&revocations),
            warnings: Some(Arc::clone(&warnings)),
        };
        Ok(Self {
            users,
            inventory,
            payments,
            verifier,
            revocations,
            sessions,
            events,
            secret,
            health,
            metrics,
            warnings,
            limited: Arc::default(),
        })
    }

    /// The routes of this process that people and programs call, with their description.
    fn routes(&self) -> OpenApiRouter {
        let metrics = self.metrics.router(Some(self.clone()), &self.revocations);
        let mut routes = self.health.clone().router().merge(metrics);
        if let Some(users) = &self.users {
            routes = routes.merge(users.router());
        }
        if let Some(inventory) = &self.inventory {
            routes = routes.merge(inventory.router());
        }
        if let Some(payments) = &self.payments {
            routes = routes.merge(payments.router());
        }
        routes
    }

    /// What this process answers at one of its doors; services in other processes too, where they come in by it.
    pub fn site(&self, rules: Rules, services_come_in: bool) -> Site {
        let (mut router, api) = self.routes().split_for_parts();
        router = router.merge(openapi::pages(api));
        if let Some(secret) = self.secret.as_ref().filter(|_| services_come_in) {
            router = router.merge(self.internal_router(secret));
        }
        let kept = self.inventory.as_ref().map(Inventory::kept);
        Site::new(router.layer(Extension(Arc::clone(&self.verifier))), rules, kept)
    }

    /// Whether there are services in other processes.
    pub fn has_neighbours(&self) -> bool {
        self.secret.is_some()
    }

    /// The routes for services in other processes, each behind a door that knows its callers.
    fn internal_router(&self, secret: &ServiceSecret) -> Router {
        let behind = |routes: Router, audience: &'static str, callers: &'static [&'static str]| {
            routes.layer(Extension(Arc::new(ServiceDoor { secret: secret.clone(), audience, callers })))
        };
        let mut router = Router::new();
        if let Some(users) = &self.users {
            router = router.merge(behind(users.internal_router(), "users", &["inventory", "payments"]));
        }
        if let Some(inventory) = &self.inventory {
            router = router.merge(behind(inventory.internal_router(), "inventory", &["payments"]));
        }
        if let Some(payments) = &self.payments {
            router = router.merge(behind(payments.internal_router(), "payments", &["users", "inventory"]));
        }
        router
    }

    /// Starts the services' background work; it ends after `stop`. `alone` says that no other process runs
    /// these services, so that whatever is in flight at the start was left by a crash.
    pub fn run_jobs(&self, stop: &CancellationToken, alone: bool) -> JoinSet<()> {
        let mut jobs = JoinSet::new();
        jobs.spawn(Arc::clone(&self.warnings).watch(stop.clone()));
        if let Some(users) = self.users.clone() {
            let (events, stop) = (Arc::clone(&self.events), stop.clone());
            jobs.spawn(async move { users.run_jobs(events, stop).await });
        }
        if let Some(inventory) = self.inventory.clone() {
            let (events, stop) = (Arc::clone(&self.events), stop.clone());
            jobs.spawn(async move { inventory.run_jobs(events, stop).await });
        }
        if let Some(payments) = self.payments.clone() {
            let stop = stop.clone();
            jobs.spawn(async move { payments.run_jobs(stop, alone).await });
        }
        if let Some(users) = self.sessions.clone() {
            jobs.spawn(follow_ended_sessions(users, Arc::clone(&self.revocations), stop.clone()));
        }
        jobs
    }

    /// Leaves the databases, once all work is done.
    pub fn close(&self) {
        self.health.databases.iter().for_each(Db::close);
    }
}

fn inventory_for_payments(here: Option<&Inventory>, config: &Config) -> StartResult<Arc<dyn InventoryApi>> {
    if let Some(inventory) = here {
        return Ok(Arc::new(inventory.clone()));
    }
    Ok(Arc::new(InventoryClient(neighbour(config, ("payments", "inventory"), &config.services.inventory_url)?)))
}

/// Tells services whom they ask: each other where they are here, and those elsewhere.
fn introduce(users: Option<&Users>, payments: Option<&Payments>, config: &Config) -> StartResult<()> {
    if let Some(payments) = payments {
        payments.tell_buyers_through(match users {
            Some(users) => Arc::new(users.clone()),
            None => Arc::new(UsersClient(neighbour(config, ("payments", "users"), &config.services.users_url)?)),
        });
    }
    if let Some(users) = users {
        let url = &config.services.payments_url;
        users.export_through(match payments {
            Some(payments) => Arc::new(payments.clone()),
            None => Arc::new(CustomersClient(neighbour(config, ("users", "payments"), url)?)),
        });
    }
    Ok(())
}

/// The service `name` in another process, as `caller` asks it.
fn neighbour(
    config: &Config,
    (caller, name): (&'static str, &'static str),
    url: &Option<String>,
) -> StartResult<Neighbour> {
    let url = url.as_deref().ok_or_else(|| {
        let variable = name.to_ascii_uppercase();
        format!("a service in a process of its own needs services.{name}_url (ESTORE_SERVICES__{variable}_URL)")
    })?;
    let call_time_max = Duration::from_secs(config.services.call_seconds_max.max(1));
    let client = ServiceClient::new(call_time_max, config.services.proof())?;
    Ok(Neighbour::new(url, caller, name, service_secret(config)?, client))
}

fn verifier(users: Option<&Users>, elsewhere: Option<&UsersClient>, config: &Config) -> StartResult<Verifier> {
    if let Some(users) = users {
        return Ok(Verifier::given(&users.key_set()).taking(Arc::new(users.clone())));
    }
    let (Some(url), Some(elsewhere)) = (config.services.users_url.as_deref(), elsewhere) else {
        return Err("services.users_url (ESTORE_SERVICES__USERS_URL) must say where UserService is".into());
    };
    let client = ServiceClient::new(KEYS_TIME_MAX, config.services.proof())?;
    let url = format!("{}/.well-known/jwks.json", url.trim_end_matches('/'));
    Ok(Verifier::published(url, client).taking(Arc::new(elsewhere.clone())))
}

fn service_secret(config: &Config) -> StartResult<ServiceSecret> {
    let secret = match &config.services.secret {
        Some(secret) => secret.clone(),
        None => secrets::read_or_make(&config.data_dir, "service-secret")?,
    };
    Ok(ServiceSecret::new(secret.reveal().as_bytes())?)
}

/// PaymentService's configuration, with the webhook key in the data directory unless it names another.
fn payments_config(config: &Config) -> StartResult<PaymentsConfig> {
    let mut payments = config.payments.clone();
    payments.fields = Some(Arc::new(fields::open(config)?));
    if payments.webhook_key_file.as_os_str().is_empty() {
        payments.webhook_key_file = secrets::folder(&config.data_dir)?.join("webhook-key");
    }
    Ok(payments)
}

/// UserService's configuration, with what it does not name taken from the shop's address and data directory.
pub fn users_config(config: &Config) -> StartResult<UsersConfig> {
    let (mut users, unset) = (config.users.clone(), UsersConfig::default());
    users.fields = Some(Arc::new(fields::open(config)?));
    if users.public_url == unset.public_url {
        users.public_url = config.public_url();
    }
    if users.token_key_file == unset.token_key_file {
        users.token_key_file = secrets::folder(&config.data_dir)?.join("token-key.pem");
    }
    if users.totp_key_file == unset.totp_key_file {
        users.totp_key_file = secrets::folder(&config.data_dir)?.join("totp-key");
    }
    if users.mail.dir == unset.mail.dir {
        users.mail.dir = config.data_dir.join("mail");
    }
    Ok(users)
}
