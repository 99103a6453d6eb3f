//! Stock movements: every change of a quantity is one.

use estore_kit::problem::FieldError;
use estore_kit::validate::Rules;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio_postgres::Row;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::limits::{REASON_CHARACTERS_MAX, STOCK_UNITS_MAX};

/// A change of a product's stock. The movements of a product sum to its quantity.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StockMovement {
    /// Its id.
    pub id: i64,
    /// The product.
    pub product_id: i32,
    /// Units that came (positive) or went (negative).
    pub delta: i32,
    /// `initial`, `import`, `adjustment`, `hold`, `release` or `restock`.
    #[schema(example = "adjustment")]
    pub kind: String,
    /// Why, in the words of whoever changed it.
    pub reason: Option<String>,
    /// The checkout that held or released.
    pub checkout_id: Option<Uuid>,
    /// The cancelled order whose units came back.
    pub order_id: Option<i32>,
    /// The administrator who changed it.
    pub actor_user_id: Option<i32>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

impl From<&Row> for StockMovement {
    fn from(row: &Row) -> Self {
        Self {
            id: row.get("id"),
            product_id: row.get("product_id"),
            delta: row.get("delta"),
            kind: row.get("kind"),
            reason: row.get("reason"),
            checkout_id: row.get("checkout_id"),
            order_id: row.get("order_id"),
            actor_user_id: row.get("actor_user_id"),
            created_at: row.get("created_at"),
        }
    }
}

/// A change of stock: either `delta` or `quantity`.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StockChange {
    /// Units that came (positive) or went (negative); at most a billion are there after it.
    #[serde(default)]
    pub delta: Option<i32>,
    /// Units there are now, up to a billion.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    pub quantity: Option<i32>,
    /// Why, 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255, example = "delivery 2231")]
    pub reason: String,
}

impl StockChange {
    pub(crate) fn broken_rules(&self) -> Vec<FieldError> {
        let mut rules = Rules::new();
        match (self.delta, self.quantity) {
            (Some(_), Some(_)) | (None, None) => {
                rules.broken("/delta", "one_of", "give either delta or quantity");
            }
            (Some(0), None) => rules.broken("/delta", "out_of_range", "must not be 0"),
            (Some(_), None) => {}
            (None, Some(quantity)) => rules.range("/quantity", quantity, 0..=STOCK_UNITS_MAX),
        }
        rules.text("/reason", &self.reason, 1..=REASON_CHARACTERS_MAX);
        rules.into_errors()
    }
}

/// The stock after a change.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StockLevel {
    /// The product.
    pub product_id: i32,
    /// Units that can still be sold.
    pub quantity: i32,
    /// The movement; `null` where the quantity was as asked before.
    pub movement: Option<StockMovement>,
}
