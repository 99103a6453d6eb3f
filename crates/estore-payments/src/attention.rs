//! What goes on only when staff look at it: the gateway stayed silent, or said no too late.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::checkout::Checkout;

/// A checkout whose charge the gateway does not tell of. Its stock is held meanwhile.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct StuckCheckout {
    /// The checkout with its orders.
    #[serde(flatten)]
    pub(crate) checkout: Checkout,
    /// The customer.
    pub(crate) user_id: i32,
    /// Who is asked.
    #[schema(example = "stripe")]
    pub(crate) gateway: String,
    /// How often the gateway was asked.
    pub(crate) attempts: i16,
    /// When it is asked next by itself.
    pub(crate) next_attempt_at: Option<Timestamp>,
}

/// A refund that did not reach its buyer, or may not have.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct StuckRefund {
    /// The refund.
    pub(crate) id: Uuid,
    /// The order whose money it is.
    pub(crate) order_id: i32,
    /// The customer.
    pub(crate) user_id: i32,
    /// `refund`, or `cancel` where it belongs to a cancelled order.
    #[schema(example = "refund")]
    pub(crate) kind: String,
    /// Cents.
    pub(crate) amount: i32,
    /// Three letters of ISO 4217.
    #[schema(example = "USD")]
    pub(crate) currency: String,
    /// Why it was asked for.
    pub(crate) reason: String,
    /// `pending`: the gateway is silent. `failed`: it refused, and the order is cancelled. `succeeded`: it was paid out
    /// and came back. In the latter two the buyer must get the money another way.
    #[schema(example = "pending")]
    pub(crate) status: String,
    /// Why the gateway refused.
    pub(crate) failure: Option<String>,
    /// How often the gateway was asked.
    pub(crate) attempts: i16,
    /// When it is asked next by itself.
    pub(crate) next_attempt_at: Option<Timestamp>,
    /// Since when staff must look at it; `null` where nobody must any more.
    pub(crate) needs_attention_since: Option<Timestamp>,
    /// When it was asked for.
    pub(crate) created_at: Timestamp,
}
