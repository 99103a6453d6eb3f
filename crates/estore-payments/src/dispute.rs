//! Disputes: a buyer's bank takes a charge back until it is settled who is right.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Where a dispute stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DisputeState {
    /// The shop is to answer, or its answer is looked at.
    Open,
    /// The money stays with the shop.
    Won,
    /// The money went back to the buyer, and the ledger says so.
    Lost,
}

impl DisputeState {
    const ALL: [Self; 3] = [Self::Open, Self::Won, Self::Lost];

    /// The word in the database and in JSON.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }

    /// The state of a word.
    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// A dispute as staff see it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Dispute {
    /// The dispute.
    pub(crate) id: Uuid,
    /// Where it is answered: the gateway.
    #[schema(example = "stripe")]
    pub(crate) gateway: String,
    /// The gateway's own id of it.
    #[schema(example = "dp_1MtJUT2eZvKYlo2CNaw2HvEv")]
    pub(crate) gateway_reference: String,
    /// The checkout whose charge it is about.
    pub(crate) checkout_id: Uuid,
    /// The customer.
    pub(crate) user_id: i32,
    /// What is disputed, in cents.
    pub(crate) amount: i64,
    /// Three letters of ISO 4217.
    #[schema(example = "USD")]
    pub(crate) currency: String,
    /// Why, in the gateway's word.
    #[schema(example = "product_not_received")]
    pub(crate) reason: String,
    /// Where it stands.
    pub(crate) state: DisputeState,
    /// When it began.
    pub(crate) opened_at: Timestamp,
    /// When it ended.
    pub(crate) closed_at: Option<Timestamp>,
}

/// What the gateway says of a dispute.
#[derive(Debug, Clone)]
pub(crate) struct DisputeNews {
    pub(crate) gateway_reference: String,
    pub(crate) checkout_id: Uuid,
    /// Cents.
    pub(crate) amount: i64,
    /// Three letters of ISO 4217; that of the charge.
    pub(crate) currency: String,
    pub(crate) reason: String,
    pub(crate) state: DisputeState,
    pub(crate) opened_at: Timestamp,
}
