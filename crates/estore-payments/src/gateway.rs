//! What a payment gateway does for us. Every call takes a batch and is safe to repeat with the same keys.

use async_trait::async_trait;
use estore_kit::batcher::BatchLimits;
use uuid::Uuid;

use crate::card::Card;

pub mod sandbox;

/// A card as the gateway knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardToken {
    /// What to charge it by.
    pub token: String,
    /// The same for the same card, and tells nothing of its number.
    pub fingerprint: String,
}

/// Money to be taken at once: authorised and captured.
#[derive(Debug, Clone)]
pub struct Sale {
    /// Our own key; the gateway makes one sale for it, ever.
    pub key: Uuid,
    /// The card.
    pub token: String,
    /// Cents.
    pub amount: i64,
    /// Three letters of ISO 4217.
    pub currency: String,
}

/// Why a card was not charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Its bank says no.
    CardDeclined,
    /// Its bank says that the money is not there.
    InsufficientFunds,
}

impl Refusal {
    /// The word for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::CardDeclined => "card_declined",
            Self::InsufficientFunds => "insufficient_funds",
        }
    }
}

/// What became of a sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SaleOutcome {
    /// The money is ours; the gateway's own name for it.
    Captured {
        /// The gateway's own id of the charge.
        reference: String,
    },
    /// The card was refused; nothing was taken.
    Refused(Refusal),
    /// The key was closed before: nothing was taken.
    Closed,
    /// No answer: the money was taken or not.
    Unknown {
        /// For the log.
        cause: String,
    },
}

/// What the gateway knows of a key, once it is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClosedSale {
    /// The sale had been made.
    Captured {
        /// The gateway's own id of the charge.
        reference: String,
    },
    /// The sale had been refused.
    Refused(Refusal),
    /// It was not made, and now never will be, even if the request for it is still on its way.
    NotMade,
    /// No answer.
    Silent {
        /// For the log.
        cause: String,
    },
}

/// Money to be given back.
#[derive(Debug, Clone)]
pub struct GatewayRefund {
    /// Our own key; the gateway refunds once for it.
    pub key: Uuid,
    /// The key of the sale.
    pub sale: Uuid,
    /// Cents.
    pub amount: i64,
    /// Three letters of ISO 4217.
    pub currency: String,
}

/// What became of a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundOutcome {
    /// Paid out, now or by an earlier call with the same key.
    PaidOut {
        /// The gateway's own id of the refund.
        reference: String,
    },
    /// Refused for good.
    Refused {
        /// For staff.
        cause: String,
    },
    /// No answer; ask again with the same key.
    Unknown {
        /// For the log.
        cause: String,
    },
}

/// The gateway did not answer.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the payment gateway did not answer: {0}")]
pub struct GatewayError(pub String);

/// A payment gateway.
#[async_trait]
pub trait Gateway: Send + Sync {
    /// Its name in the database and the configuration.
    fn name(&self) -> &'static str;

    /// How sales are batched for it.
    fn batches(&self) -> BatchLimits;

    /// Takes a card into its vault; the same card gives the same fingerprint.
    async fn tokenise(&self, card: &Card) -> Result<CardToken, GatewayError>;

    /// Takes money; one outcome a sale, in order.
    async fn sale(&self, sales: Vec<Sale>) -> Vec<SaleOutcome>;

    /// Says what became of sales, and makes sure that those not made never are; one outcome a key, in order.
    async fn close(&self, keys: Vec<Uuid>) -> Vec<ClosedSale>;

    /// Gives money back; one outcome a refund, in order.
    async fn refund(&self, refunds: Vec<GatewayRefund>) -> Vec<RefundOutcome>;
}
