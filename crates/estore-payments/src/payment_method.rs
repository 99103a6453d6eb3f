//! Payment methods: a gateway's token, and what a person may see of the card.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::billing::{self, BillingAddress};
use crate::card::{Card, SecretJson, is_expired};

/// What is kept and shown of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct CardDetails {
    /// Who issued it.
    #[schema(example = "visa")]
    pub(crate) brand: String,
    /// The last four digits.
    #[schema(example = "4242")]
    pub(crate) last4: String,
    /// The month it ends with, 1 to 12.
    pub(crate) expiry_month: i8,
    /// The year it ends in.
    pub(crate) expiry_year: i16,
    /// Whose it is, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Ada Lovelace")]
    pub(crate) holder_name: Option<String>,
    /// Where its bills go, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BillingAddress>)]
    pub(crate) billing_address: Option<Value>,
}

impl CardDetails {
    /// With what the buyer said of whose it is.
    pub(crate) fn of_holder(self, body: &SecretJson) -> Self {
        let (holder_name, billing_address) = billing::of(body);
        Self { holder_name, billing_address, ..self }
    }
}

/// Nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoDetails {}

/// What is kept and shown of a payment method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum MethodDetails {
    /// A card.
    Card(CardDetails),
    /// An invoice: nothing.
    Invoice(NoDetails),
}

impl MethodDetails {
    /// The word in the database and in JSON.
    pub(crate) fn payment_type(&self) -> &'static str {
        match self {
            Self::Card(_) => "card",
            Self::Invoice(_) => "invoice",
        }
    }
}

impl From<&Card> for CardDetails {
    fn from(card: &Card) -> Self {
        Self {
            brand: card.number.brand().word().to_owned(),
            last4: card.number.last4().to_owned(),
            expiry_month: card.expiry_month,
            expiry_year: card.expiry_year,
            holder_name: None,
            billing_address: None,
        }
    }
}

/// A payment method as its owner sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct PaymentMethod {
    /// The payment method.
    pub(crate) id: i32,
    /// Its owner.
    pub(crate) user_id: i32,
    /// `card`, or `invoice` where the shop is paid so.
    #[schema(example = "card")]
    pub(crate) payment_type: String,
    /// What may be shown of it.
    pub(crate) details: MethodDetails,
    /// Whether it can be paid with.
    pub(crate) is_active: bool,
    /// When it was added.
    pub(crate) created_at: Timestamp,
    /// What its details are sealed for.
    #[serde(skip)]
    pub(crate) sealed_for: Option<Uuid>,
}

/// A payment method with what the gateway needs.
#[derive(Debug, Clone)]
pub(crate) struct StoredMethod {
    pub(crate) method: PaymentMethod,
    pub(crate) gateway: String,
    pub(crate) gateway_token: String,
}

/// Why a payment method cannot be paid with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unusable {
    /// There is none, it is someone else's, or it was deactivated: not told apart.
    #[error("there is no such payment method of yours; list them at /v1/payment-methods")]
    Unknown,
    /// The card's last month is over.
    #[error("the card has expired; add another")]
    Expired,
    /// It was added for another gateway.
    #[error("the card was added for another payment provider; add it again")]
    OtherGateway,
}

impl Unusable {
    /// The word for programs.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Unknown => "unknown_payment_method",
            Self::Expired => "card_expired",
            Self::OtherGateway => "payment_method_outdated",
        }
    }
}

/// The token to charge, if this user may pay with this method today through this gateway.
pub(crate) fn usable(
    found: Option<StoredMethod>,
    user_id: i32,
    gateway: &str,
    today: Date,
) -> Result<String, Unusable> {
    let stored = found.filter(|m| m.method.user_id == user_id && m.method.is_active).ok_or(Unusable::Unknown)?;
    if let MethodDetails::Card(card) = &stored.method.details
        && is_expired(card.expiry_month, card.expiry_year, today)
    {
        return Err(Unusable::Expired);
    }
    if stored.gateway == gateway { Ok(stored.gateway_token) } else { Err(Unusable::OtherGateway) }
}
