//! InventoryService: categories, products, search, stock and holds on it, import and export.
//!
//! Stock moves through `queries/{insert_holds,release_holds,restock_orders,move_stock,insert_product,import_*}.sql`
//! alone, and each of them writes the movement it makes in the same statement.

mod catalogue;
mod category;
mod edition;
mod figures;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod hold;
mod http;
mod import;
mod index;
mod limits;
mod neighbour;
mod operations;
mod product;
mod schema;
mod search;
mod stock;
mod store;

#[cfg(test)]
mod instructions;

use std::sync::Arc;
use std::time::Duration;

use estore_api::events::EventsApi;
use estore_api::inventory::{HoldOutcome, HoldRequest};
use estore_kit::batcher::{BatchLimits, Batcher};
use estore_kit::db::Db;
use estore_kit::edge::Kept;
use serde::Deserialize;
use tokio::io::AsyncRead;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

pub use category::{Category, CategoryChange, NewCategory};
pub use import::{ImportError, ImportReport, RowFault};
pub use operations::list_categories::CategoriesQuery;
pub use product::{NewProduct, Product, ProductChange};
pub use schema::{CHECKS, MIGRATIONS};
pub use search::{CategoryCount, FacetKind, Facets, ProductList, ProductSort, ProductsQuery};
pub use stock::{StockChange, StockLevel, StockMovement};

use crate::catalogue::Catalogue;
use crate::index::Index;
use crate::limits::{HOLD_BATCH_MAX, HOLDS_WAITING_MAX};
use crate::operations::find_product::{Reads, start_reads};
use crate::operations::hold_stock::{HoldStockError, hold_stock};

/// The settings of InventoryService.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InventoryConfig {
    /// How many batches of holds run at a time, 1 to 8; one keeps the order of arrival.
    pub hold_workers: usize,
    /// How long the database may take to answer at the start, in seconds, 1 to 60.
    pub start_seconds_max: u64,
    /// How much memory the catalogue may take, in bytes; 0 keeps nothing. What finds no room is read from PostgreSQL.
    pub catalogue_bytes_max: usize,
    /// How much memory the search index may take, in bytes; 0 keeps none. Where it needs more, PostgreSQL searches.
    pub search_bytes_max: usize,
}

const MIB: usize = 1024 * 1024;

impl Default for InventoryConfig {
    fn default() -> Self {
        Self { hold_workers: 1, start_seconds_max: 10, catalogue_bytes_max: 32 * MIB, search_bytes_max: 64 * MIB }
    }
}

/// Why InventoryService does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is out of its range.
    #[error("inventory.{name} must be from {low} to {high}")]
    Setting {
        /// The setting's name.
        name: &'static str,
        /// The least it may be.
        low: u64,
        /// The most it may be.
        high: u64,
    },
    /// The database does not answer.
    #[error("the inventory database does not answer")]
    DatabaseAway,
}

type HoldResult = Result<HoldOutcome, HoldStockError>;

/// The running service; cheap to clone.
#[derive(Debug, Clone)]
pub struct Inventory {
    db: Db,
    holds: Batcher<HoldRequest, HoldResult>,
    reads: Reads,
    catalogue: Arc<Catalogue>,
    index: Arc<Index>,
}

impl Inventory {
    /// Starts it on a migrated database.
    ///
    /// # Errors
    /// When a setting is out of range or the database does not answer in time.
    pub async fn start(db: Db, config: InventoryConfig) -> Result<Self, StartError> {
        if !(1..=8).contains(&config.hold_workers) {
            return Err(StartError::Setting { name: "hold_workers", low: 1, high: 8 });
        }
        if !(1..=60).contains(&config.start_seconds_max) {
            return Err(StartError::Setting { name: "start_seconds_max", low: 1, high: 60 });
        }
        if !db.answers(Duration::from_secs(config.start_seconds_max)).await {
            return Err(StartError::DatabaseAway);
        }
        let limits = BatchLimits::at_once(HOLDS_WAITING_MAX, HOLD_BATCH_MAX, config.hold_workers);
        let shelf = db.clone();
        let holds = Batcher::start(limits, move |requests| {
            let db = shelf.clone();
            async move { hold_stock(&db, requests).await }
        });
        let catalogue = Arc::new(Catalogue::new(config.catalogue_bytes_max));
        let index = Arc::new(Index::new(config.search_bytes_max));
        let reads = start_reads(db.clone(), Arc::clone(&catalogue));
        Ok(Self { db, holds, reads, catalogue, index })
    }

    /// The public and the administrators' routes. The binary puts the token verifier and the edge around them.
    pub fn router(&self) -> OpenApiRouter {
        http::public(self.clone())
    }

    /// Answers products on sale from memory, as their route does for whoever is not logged in.
    #[must_use]
    pub fn kept(&self) -> Kept {
        let catalogue = Arc::clone(&self.catalogue);
        Arc::new(move |uri, headers| http::products::kept_product(&catalogue, uri, headers))
    }

    /// The routes for neighbours in other processes. The binary puts the service door around them.
    pub fn internal_router(&self) -> axum::Router {
        http::internal(self.clone())
    }

    /// Imports products from CSV, all or nothing; `progress` hears how many rows were read.
    ///
    /// # Errors
    /// When rows break rules (each is named), the file cannot be read, another import runs or the database fails.
    pub async fn import_products(
        &self,
        reader: impl AsyncRead + Send + Unpin,
        progress: impl FnMut(u64) + Send,
    ) -> Result<ImportReport, ImportError> {
        let report = operations::import_products::import_products(&self.db, reader, progress).await;
        self.catalogue.forget_all();
        self.index.heard_of_everything();
        report
    }

    /// Whether searches are answered from memory; until then, and where memory is too small, by PostgreSQL.
    #[must_use]
    pub fn searches_in_memory(&self) -> bool {
        self.index.is_whole()
    }

    /// Hands its events on and keeps the catalogue and the search index in memory right, until `shutdown`.
    pub async fn run_jobs(&self, events: Arc<dyn EventsApi>, shutdown: CancellationToken) {
        tokio::join!(
            estore_api::events::relay(&self.db, &events, &shutdown),
            catalogue::watch(&self.db, &self.catalogue, &self.index, &shutdown),
            index::feed(&self.db, &self.index, &shutdown),
        );
    }
}
