//! What happens in the shop, as others hear of it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A kind of event that an endpoint may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) enum EventType {
    /// Every kind, those to come included.
    #[serde(rename = "all")]
    All,
    /// An order was written; its charge is under way.
    #[serde(rename = "order.created")]
    OrderCreated,
    /// An order was charged.
    #[serde(rename = "order.paid")]
    OrderPaid,
    /// An order was not charged, and is over.
    #[serde(rename = "order.failed")]
    OrderFailed,
    /// An order was called off.
    #[serde(rename = "order.cancelled")]
    OrderCancelled,
    /// Money of an order went back; `amount` says how much.
    #[serde(rename = "order.refunded")]
    OrderRefunded,
    /// An order was handed to the carrier.
    #[serde(rename = "order.shipped")]
    OrderShipped,
    /// An order is with the customer.
    #[serde(rename = "order.delivered")]
    OrderDelivered,
    /// A product's stock fell to its minimum or below it.
    #[serde(rename = "product.low_stock")]
    ProductLowStock,
    /// A customer's address was proved.
    #[serde(rename = "user.verified")]
    UserVerified,
    /// A customer's account was erased: whoever keeps something of theirs has to erase it too.
    #[serde(rename = "user.erased")]
    UserErased,
}

impl EventType {
    /// All kinds, `all` itself included.
    pub(crate) const ALL: [Self; 11] = [
        Self::All,
        Self::OrderCreated,
        Self::OrderPaid,
        Self::OrderFailed,
        Self::OrderCancelled,
        Self::OrderRefunded,
        Self::OrderShipped,
        Self::OrderDelivered,
        Self::ProductLowStock,
        Self::UserVerified,
        Self::UserErased,
    ];

    /// The word in the database and in JSON.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::OrderCreated => "order.created",
            Self::OrderPaid => "order.paid",
            Self::OrderFailed => "order.failed",
            Self::OrderCancelled => "order.cancelled",
            Self::OrderRefunded => "order.refunded",
            Self::OrderShipped => "order.shipped",
            Self::OrderDelivered => "order.delivered",
            Self::ProductLowStock => "product.low_stock",
            Self::UserVerified => "user.verified",
            Self::UserErased => "user.erased",
        }
    }

    /// The kind of a word.
    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::EventType;

    #[test]
    fn a_kind_is_the_same_word_in_json_and_in_the_database() {
        for kind in EventType::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.word());
            assert_eq!(EventType::of(kind.word()), Some(kind));
        }
    }
}
