//! Refunds: money that goes back, once.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A refund as staff see it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Refund {
    /// The refund.
    pub(crate) id: Uuid,
    /// The order whose money it is.
    pub(crate) order_id: i32,
    /// Cents.
    pub(crate) amount: i32,
    /// Three letters of ISO 4217.
    #[schema(example = "USD")]
    pub(crate) currency: String,
    /// Why.
    pub(crate) reason: String,
    /// `pending`, `succeeded` or `failed`.
    #[schema(example = "succeeded")]
    pub(crate) status: &'static str,
    /// When it was asked for.
    pub(crate) created_at: Timestamp,
}

/// A refund that the gateway is to make, with whose key it answers.
#[derive(Debug, Clone)]
pub(crate) struct PendingRefund {
    pub(crate) refund: Refund,
    pub(crate) checkout_id: Uuid,
    pub(crate) user_id: i32,
    /// Who charged, and so has the money.
    pub(crate) gateway: String,
    pub(crate) kind: RefundKind,
    pub(crate) requested_by: i32,
    pub(crate) key: Option<String>,
}

/// What a refund belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefundKind {
    /// Asked for by staff.
    Refund,
    /// Part of cancelling the order.
    Cancel,
}

impl RefundKind {
    /// The word in the database.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Refund => "refund",
            Self::Cancel => "cancel",
        }
    }
}
