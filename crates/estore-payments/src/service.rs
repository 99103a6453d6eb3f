//! PaymentService as an object: what it is made of and what the process does with it.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use estore_api::inventory::InventoryApi;
use estore_api::users::UsersApi;
use estore_kit::db::{Db, DbError, LastServer};
use estore_kit::field::{Fields, SealError};
use jiff::Timestamp;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

use crate::config::PaymentsConfig;
use crate::figures::Figures;
use crate::gateway::Gateway;
use crate::gateway::manual::Manual;
use crate::gateway::sandbox::Sandbox;
use crate::gateway::stripe::Stripe;
use crate::gateway::stripe::config::Secret;
use crate::limits::{CHECKOUTS_UNDER_WAY_MAX, PARTITION_MONTHS_AHEAD};
use crate::operations::deliver_webhooks::Webhooks;
use crate::personal::Attached;
use crate::steps::Steps;
use crate::store;
use crate::store::checkouts::Terms;

/// What every operation works with.
pub(crate) struct Shop {
    pub(crate) db: Db,
    pub(crate) config: PaymentsConfig,
    /// Seals and opens what is personal.
    pub(crate) fields: Arc<Fields>,
    pub(crate) inventory: Arc<dyn InventoryApi>,
    pub(crate) gateway: Arc<dyn Gateway>,
    pub(crate) steps: Steps,
    /// Where checkouts are written.
    pub(crate) server: Arc<LastServer>,
    /// What it counts for whoever looks after it.
    pub(crate) figures: Arc<Figures>,
    /// One for each checkout that may be under way.
    pub(crate) places: Semaphore,
    /// What Stripe signs its events with, where it is the gateway.
    pub(crate) webhook_secret: Option<Secret>,
    /// Told when something new is in the outbox.
    pub(crate) wake_relay: Notify,
    /// Posts webhooks, and writes down how that ended.
    pub(crate) webhooks: Webhooks,
    /// Who writes to buyers; nobody in a process that was not told.
    pub(crate) users: OnceLock<Arc<dyn UsersApi>>,
    /// Whether a customer was erased of late, as far as this process knows; it looks at its start.
    pub(crate) has_lately_erased: AtomicBool,
    /// When this process started, by the database's clock.
    pub(crate) started_at: Timestamp,
}

impl Shop {
    /// Whether buyers are told of their orders by mail.
    pub(crate) fn writes_mails(&self) -> bool {
        self.config.order_mails && self.users.get().is_some()
    }

    /// Something as people are shown it, with what is sealed in it opened.
    pub(crate) fn shown<T: Attached>(&self, mut thing: T) -> Result<T, SealError> {
        thing.open(&self.fields)?;
        Ok(thing)
    }
}

/// Why PaymentService does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is wrong; says what and the mend.
    #[error("{0}")]
    Config(String),
    /// The database does not answer, or is not migrated.
    #[error("estore_payments: {0}")]
    Database(#[from] DbError),
}

/// PaymentService. Cheap to clone.
#[derive(Clone)]
pub struct Payments {
    pub(crate) shop: Arc<Shop>,
}

impl Payments {
    /// Starts it on its migrated database, with its neighbour.
    pub async fn start(db: Db, config: PaymentsConfig, inventory: Arc<dyn InventoryApi>) -> Result<Self, StartError> {
        let gateway: Arc<dyn Gateway> = match config.gateway.as_str() {
            "sandbox" => Arc::new(Sandbox::open(db.clone()).await?),
            "manual" => Arc::new(Manual),
            "stripe" => Arc::new(Stripe::open(db.clone(), &config.stripe).map_err(StartError::Config)?),
            other => return Err(StartError::Config(format!("payments.gateway {other:?} is not known"))),
        };
        Self::start_with(db, config, inventory, gateway).await
    }

    /// The same with a gateway of one's own.
    pub async fn start_with(
        db: Db,
        config: PaymentsConfig,
        inventory: Arc<dyn InventoryApi>,
        gateway: Arc<dyn Gateway>,
    ) -> Result<Self, StartError> {
        config.check().map_err(StartError::Config)?;
        let fields = match &config.fields {
            Some(fields) => Arc::clone(fields),
            None => Arc::new(Fields::passing().map_err(|error| StartError::Config(error.to_string()))?),
        };
        let started_at = store::jobs::clock(&db).await?;
        // Before the first order: one that is on its way into the default partition while its month gets a partition of
        // its own is refused.
        if let Err(error) = store::jobs::make_partitions(&db, PARTITION_MONTHS_AHEAD).await {
            tracing::warn!(%error, "partitions will be made later");
        }
        let server = Arc::<LastServer>::default();
        let terms = Terms {
            currency: config.currency.clone(),
            gateway: gateway.name(),
            resume_after_seconds: f64::from(config.resume_after_seconds),
            server: Arc::clone(&server),
        };
        let figures = Arc::default();
        let steps = Steps::start(&db, terms, &inventory, &gateway, &figures);
        let webhook_secret = match gateway.name() {
            "stripe" => config.stripe.webhook_secret().map_err(StartError::Config)?,
            _ => None,
        };
        let webhooks = Webhooks::start(&db, &config).map_err(StartError::Config)?;
        let (wake_relay, users) = (Notify::new(), OnceLock::new());
        let places = Semaphore::new(CHECKOUTS_UNDER_WAY_MAX);
        let shop = Shop {
            db,
            config,
            fields,
            inventory,
            gateway,
            steps,
            server,
            figures,
            places,
            webhook_secret,
            wake_relay,
            webhooks,
            users,
            has_lately_erased: AtomicBool::new(true),
            started_at,
        };
        Ok(Self { shop: Arc::new(shop) })
    }

    /// Has `users` write to buyers about their orders; before [`Self::run_jobs`].
    pub fn tell_buyers_through(&self, users: Arc<dyn UsersApi>) {
        drop(self.shop.users.set(users));
    }

    /// The routes for neighbours in other processes. The binary puts the service door around them.
    pub fn internal_router(&self) -> axum::Router {
        crate::http::internal(self.clone())
    }

    /// Its routes. The binary puts the token verifier and the edge around them.
    pub fn router(&self) -> OpenApiRouter {
        crate::http::router(self.clone())
    }

    /// Runs the resumer, the relay of the outbox and the housekeeping until `shutdown`.
    ///
    /// `alone` says that no other process of this service can exist: what an earlier one left under way is then
    /// taken up at once instead of after `resume_after_seconds`.
    pub async fn run_jobs(&self, shutdown: CancellationToken, alone: bool) {
        crate::jobs::run(Arc::clone(&self.shop), shutdown, alone).await;
    }
}

/// The time in the database's precision, so that what is stored and what was answered are the same.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_microsecond(Timestamp::now().as_microsecond()).unwrap_or_default()
}
