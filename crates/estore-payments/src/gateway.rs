//! What a payment gateway does for us. Every call takes a batch and is safe to repeat with the same keys.

use std::fmt;

use async_trait::async_trait;
use estore_kit::batcher::BatchLimits;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::card::Card;
use crate::payment_method::CardDetails;

pub mod manual;
pub mod sandbox;
pub mod stripe;

/// How buyers hand a card to this gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardForm {
    /// Its number goes through us.
    Number,
    /// The buyer's browser gives the number to the gateway, and us the gateway's token for it.
    Token,
    /// There is none: buyers pay by invoice.
    Invoice,
}

/// A card as the gateway knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardToken {
    /// What to charge it by.
    pub token: String,
    /// The same for the same card, and tells nothing of its number.
    pub fingerprint: String,
}

/// A card that the buyer's browser had handed to the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdoptedCard {
    /// The card as the gateway knows it.
    pub token: CardToken,
    /// What may be shown of it.
    pub(crate) details: CardDetails,
}

/// Why a token was not taken up.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AdoptError {
    /// The gateway knows no such token, or it was used before.
    #[error("the gateway does not know the token")]
    Unknown,
    /// The card's bank says no.
    #[error("the card was refused: {}", .0.code())]
    Declined(Refusal),
    /// The gateway is away.
    #[error(transparent)]
    Silent(#[from] GatewayError),
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
    /// It has expired.
    CardExpired,
    /// Its bank could not work on it.
    ProcessingError,
    /// The buyer did not convince the bank.
    AuthenticationFailed,
    /// The currency has no such amount.
    AmountNotPossible,
}

impl Refusal {
    /// The word for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::CardDeclined => "card_declined",
            Self::InsufficientFunds => "insufficient_funds",
            Self::CardExpired => "card_expired",
            Self::ProcessingError => "processing_error",
            Self::AuthenticationFailed => "authentication_failed",
            Self::AmountNotPossible => "amount_not_possible",
        }
    }
}

/// What a buyer's browser needs to satisfy the card's bank.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BuyerAction {
    /// Whose script does it: `stripe`.
    #[serde(rename = "type")]
    #[schema(example = "stripe")]
    pub kind: String,
    /// What the script is called with.
    #[schema(example = "pi_1_secret_2")]
    pub client_secret: String,
    /// The shop's public key for the script, where it is configured.
    pub publishable_key: Option<String>,
    /// The gateway's own description of the step.
    #[schema(value_type = Object)]
    pub next_action: serde_json::Value,
}

impl fmt::Debug for BuyerAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BuyerAction(…)")
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
    /// Nothing is taken until the buyer has satisfied the bank.
    NeedsBuyer(BuyerAction),
    /// Nothing is taken until `capture`, which waits for the shop's staff.
    Authorised {
        /// The gateway's own id of the charge.
        reference: String,
    },
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

    /// How buyers hand it their cards.
    fn takes(&self) -> CardForm {
        CardForm::Number
    }

    /// Takes up the token of a card that the buyer's browser made with the gateway.
    async fn adopt(&self, _user_id: i32, _token: &str) -> Result<AdoptedCard, AdoptError> {
        Err(AdoptError::Unknown)
    }

    /// Takes a card into its vault; the same card gives the same fingerprint.
    async fn tokenise(&self, card: &Card) -> Result<CardToken, GatewayError>;

    /// Whether it keeps cards that it can be told to forget.
    fn forgets(&self) -> bool {
        false
    }

    /// Forgets a card that nobody wants to pay with any more; one that it does not know is forgotten.
    async fn forget(&self, _token: &str) -> Result<(), GatewayError> {
        Ok(())
    }

    /// Whether an amount in cents can be moved in this currency.
    fn can_move(&self, _currency: &str, _cents: i64) -> bool {
        true
    }

    /// Whether its books are in the payments database and a sale is on disk only once a later commit there is.
    fn is_carried(&self) -> bool {
        false
    }

    /// Takes money; one outcome a sale, in order.
    async fn sale(&self, sales: Vec<Sale>) -> Vec<SaleOutcome>;

    /// Says what became of sales, and makes sure that those not made never are; one outcome a key, in order.
    async fn close(&self, keys: Vec<Uuid>) -> Vec<ClosedSale>;

    /// Says where a sale stands that waits for its buyer, and leaves it open.
    async fn look_up(&self, _key: Uuid) -> SaleOutcome {
        SaleOutcome::Unknown { cause: "this gateway has no sales that wait".to_owned() }
    }

    /// Takes the money of a sale that was authorised; once, however often it is asked.
    async fn capture(&self, _key: Uuid) -> SaleOutcome {
        SaleOutcome::Unknown { cause: "this gateway has no sales that wait".to_owned() }
    }

    /// Gives money back; one outcome a refund, in order.
    async fn refund(&self, refunds: Vec<GatewayRefund>) -> Vec<RefundOutcome>;
}
