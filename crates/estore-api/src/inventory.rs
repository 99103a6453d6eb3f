//! What InventoryService does for its neighbours. Every call takes a batch and is safe to repeat.

use async_trait::async_trait;
use estore_kit::db::Server;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::neighbour::{CallError, Neighbour};

/// A product and how many of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldLine {
    /// The product.
    pub product_id: i32,
    /// Units, from 1.
    pub quantity: i32,
}

/// The stock that one checkout wants: all lines or none. A product stands in one line at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldRequest {
    /// The checkout that holds; a hold is known by it.
    pub checkout_id: Uuid,
    /// Its lines, 1 to 2,000.
    pub lines: Vec<HoldLine>,
    /// The database server whose next commit, by the caller, carries this hold: on that server it need not wait for the
    /// disk. It waits where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<Server>,
}

/// A line that is held, with its price at that moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldLine {
    /// The product.
    pub product_id: i32,
    /// Units held.
    pub quantity: i32,
    /// Price of one unit at the hold, in cents.
    pub unit_price: i32,
}

/// Why a line cannot be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shortage {
    /// There is no such product.
    UnknownProduct,
    /// The product is not for sale.
    Inactive,
    /// Fewer units are left than wanted.
    OutOfStock,
}

/// A line that cannot be held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShortLine {
    /// The product.
    pub product_id: i32,
    /// Units wanted.
    pub requested: i32,
    /// Units that could be sold.
    pub available: i32,
    /// Why not.
    pub reason: Shortage,
}

/// What became of a hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum HoldOutcome {
    /// All lines are held (now, or by an earlier call for the same checkout).
    Held {
        /// The lines, in product order.
        lines: Vec<HeldLine>,
    },
    /// Nothing is held.
    Refused {
        /// Each line at fault.
        lines: Vec<ShortLine>,
    },
    /// The hold existed and has been released or sold: this checkout is over.
    Over,
}

/// The units of an order that go back to stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestockLine {
    /// The order; its units go back once.
    pub order_id: i32,
    /// The checkout it belongs to.
    pub checkout_id: Uuid,
    /// The product.
    pub product_id: i32,
    /// Units, from 1.
    pub quantity: i32,
}

/// A hold that is neither sold nor released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenHold {
    /// The checkout that holds.
    pub checkout_id: Uuid,
    /// Since when.
    pub created_at: Timestamp,
}

/// Which open holds to list.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct OpenHoldsQuery {
    /// Only those at least so many seconds old.
    pub older_than_seconds: u32,
    /// Only checkouts after this one (in id order), for paging.
    pub after: Option<Uuid>,
    /// At most so many, 1 to 1,000.
    pub limit: u32,
}

/// What a neighbour may ask of InventoryService.
#[async_trait]
pub trait InventoryApi: Send + Sync {
    /// Holds the stock of each checkout, all its lines or none; one outcome each, in order.
    async fn hold(&self, holds: Vec<HoldRequest>) -> Result<Vec<HoldOutcome>, CallError>;
    /// Gives the stock of open holds back; released and sold ones are left alone. An unknown checkout is marked
    /// as over, so that a hold still under way for it comes too late.
    async fn release(&self, checkouts: Vec<Uuid>) -> Result<(), CallError>;
    /// Turns open holds into sales; a hold that was sold before stays so.
    async fn sell(&self, checkouts: Vec<Uuid>) -> Result<(), CallError>;
    /// Puts the units of cancelled orders back on sale, each order once. Its hold is sold first if it is still open.
    async fn restock(&self, lines: Vec<RestockLine>) -> Result<(), CallError>;
    /// Open holds in checkout order.
    async fn open_holds(&self, query: OpenHoldsQuery) -> Result<Vec<OpenHold>, CallError>;
}

/// The internal routes, each a `POST` of the batch as JSON.
pub mod routes {
    /// [`super::InventoryApi::hold`].
    pub const HOLD: &str = "/internal/v1/holds";
    /// [`super::InventoryApi::release`].
    pub const RELEASE: &str = "/internal/v1/holds/release";
    /// [`super::InventoryApi::sell`].
    pub const SELL: &str = "/internal/v1/holds/sell";
    /// [`super::InventoryApi::restock`].
    pub const RESTOCK: &str = "/internal/v1/restock";
    /// [`super::InventoryApi::open_holds`].
    pub const OPEN_HOLDS: &str = "/internal/v1/holds/open";
}

/// InventoryService in another process.
#[derive(Debug, Clone)]
pub struct InventoryClient(pub Neighbour);

#[async_trait]
impl InventoryApi for InventoryClient {
    async fn hold(&self, holds: Vec<HoldRequest>) -> Result<Vec<HoldOutcome>, CallError> {
        let wanted = holds.len();
        let outcomes: Vec<HoldOutcome> = self.0.call(routes::HOLD, &holds).await?;
        if outcomes.len() == wanted {
            Ok(outcomes)
        } else {
            let cause = format!("{} outcomes for {wanted} holds", outcomes.len());
            Err(CallError { service: "inventory", cause })
        }
    }

    async fn release(&self, checkouts: Vec<Uuid>) -> Result<(), CallError> {
        self.0.call(routes::RELEASE, &checkouts).await
    }

    async fn sell(&self, checkouts: Vec<Uuid>) -> Result<(), CallError> {
        self.0.call(routes::SELL, &checkouts).await
    }

    async fn restock(&self, lines: Vec<RestockLine>) -> Result<(), CallError> {
        self.0.call(routes::RESTOCK, &lines).await
    }

    async fn open_holds(&self, query: OpenHoldsQuery) -> Result<Vec<OpenHold>, CallError> {
        self.0.call(routes::OPEN_HOLDS, &query).await
    }
}
