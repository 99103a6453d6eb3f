//! Orders and the states they may go through.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OrderStatus {
    /// Written; the charge is under way.
    Pending,
    /// Charged.
    Paid,
    /// Being packed.
    Processing,
    /// Handed to the carrier.
    Shipped,
    /// With the customer.
    Delivered,
    /// Not charged, and over.
    Failed,
    /// Called off; the money goes back.
    Cancelled,
    /// Part of the money went back.
    PartiallyRefunded,
    /// All of the money went back.
    Refunded,
}

impl OrderStatus {
    /// All states.
    pub(crate) const ALL: [Self; 9] = [
        Self::Pending,
        Self::Paid,
        Self::Processing,
        Self::Shipped,
        Self::Delivered,
        Self::Failed,
        Self::Cancelled,
        Self::PartiallyRefunded,
        Self::Refunded,
    ];

    /// The word in the database and in JSON.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Processing => "processing",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Refunded => "refunded",
        }
    }

    /// The state of a word.
    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }

    /// Whether an order may go from this state to `next`. The trigger `orders_status_step` says the same.
    pub(crate) fn may_become(self, next: Self) -> bool {
        use OrderStatus::{
            Cancelled, Delivered, Failed, Paid, PartiallyRefunded, Pending, Processing, Refunded, Shipped,
        };
        match self {
            Pending => matches!(next, Paid | Failed | Cancelled),
            Paid => matches!(next, Processing | Cancelled | PartiallyRefunded | Refunded),
            Processing => matches!(next, Shipped | Cancelled | PartiallyRefunded | Refunded),
            Shipped => matches!(next, Delivered | PartiallyRefunded | Refunded),
            Delivered => matches!(next, PartiallyRefunded | Refunded),
            PartiallyRefunded => next == Refunded,
            Failed | Cancelled | Refunded => false,
        }
    }

    /// Whether staff take this step by hand; money and cancelling have routes of their own.
    pub(crate) fn staff_may_become(self, next: Self) -> bool {
        self.may_become(next) && matches!(next, Self::Processing | Self::Shipped | Self::Delivered)
    }
}

/// One line of a checkout: a product and how many of it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Order {
    /// The order.
    #[schema(example = 1)]
    pub(crate) id: i32,
    /// The checkout it was bought in.
    pub(crate) checkout_id: Uuid,
    /// The customer.
    pub(crate) user_id: i32,
    /// The product.
    pub(crate) product_id: i32,
    /// Units.
    pub(crate) quantity: i32,
    /// Price of one unit when it was bought, in cents.
    pub(crate) unit_price: i32,
    /// `quantity × unit_price`, in cents.
    pub(crate) total_amount: i32,
    /// What went back or is on its way back, in cents.
    pub(crate) refunded_amount: i32,
    /// Three letters of ISO 4217.
    #[schema(example = "USD")]
    pub(crate) currency: String,
    /// Where it stands.
    pub(crate) status: OrderStatus,
    /// What it was paid with.
    pub(crate) payment_method_id: Option<i32>,
    /// When it was placed.
    pub(crate) created_at: Timestamp,
    /// When it last changed.
    pub(crate) updated_at: Option<Timestamp>,
    /// What the buyer attached.
    #[schema(value_type = Object)]
    pub(crate) metadata: serde_json::Value,
}

/// A change in an order's life.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct OrderEvent {
    /// Grows along one order's history.
    pub(crate) id: i64,
    /// What happened.
    #[serde(rename = "type")]
    #[schema(example = "order.paid")]
    pub(crate) kind: String,
    /// The order's state after it.
    #[schema(value_type = OrderStatus)]
    pub(crate) status: String,
    /// Who caused it; `null` where the shop itself did.
    pub(crate) actor_id: Option<i32>,
    /// The amount that moved, in cents.
    pub(crate) amount: Option<i32>,
    /// What the actor noted.
    pub(crate) note: Option<String>,
    /// When.
    pub(crate) created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::OrderStatus;

    #[test]
    fn nothing_leaves_a_final_state_and_nothing_stays() {
        for from in OrderStatus::ALL {
            assert!(!from.may_become(from), "{from:?}");
            assert_eq!(OrderStatus::of(from.word()), Some(from));
            for to in OrderStatus::ALL {
                let is_final = matches!(from, OrderStatus::Failed | OrderStatus::Cancelled | OrderStatus::Refunded);
                assert!(!(is_final && from.may_become(to)), "{from:?} to {to:?}");
            }
        }
    }
}
