//! Stripe's answers, as far as they are read.

use serde::Deserialize;
use serde_json::Value;

use crate::gateway::{BuyerAction, Refusal};

/// A PaymentIntent.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Intent {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) client_secret: Option<String>,
    pub(super) next_action: Option<Value>,
    pub(super) last_payment_error: Option<Fault>,
}

impl Intent {
    /// What the buyer's browser must be given.
    pub(super) fn action(self, publishable_key: Option<String>) -> BuyerAction {
        BuyerAction {
            kind: "stripe".to_owned(),
            client_secret: self.client_secret.unwrap_or_default(),
            publishable_key,
            next_action: self.next_action.unwrap_or_default(),
        }
    }
}

/// Why Stripe says no.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Fault {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) code: Option<String>,
    pub(super) decline_code: Option<String>,
    pub(super) message: Option<String>,
}

impl Fault {
    /// What the buyer is told.
    pub(super) fn refusal(&self) -> Refusal {
        let said = |word: &str| self.decline_code.as_deref() == Some(word) || self.code.as_deref() == Some(word);
        if said("insufficient_funds") {
            Refusal::InsufficientFunds
        } else if said("expired_card") {
            Refusal::CardExpired
        } else if said("processing_error") {
            Refusal::ProcessingError
        } else if said("payment_intent_authentication_failure") || said("authentication_required") {
            Refusal::AuthenticationFailed
        } else {
            Refusal::CardDeclined
        }
    }

    /// For the log.
    pub(super) fn text(&self) -> String {
        let word = self.decline_code.as_deref().or(self.code.as_deref()).or(self.kind.as_deref());
        format!("{}: {}", word.unwrap_or("error"), self.message.as_deref().unwrap_or("no message"))
    }
}

/// The body of a refusal.
#[derive(Debug, Default, Deserialize)]
pub(super) struct FaultBody {
    #[serde(default)]
    pub(super) error: Fault,
}

/// Anything that is only known by its id.
#[derive(Debug, Deserialize)]
pub(super) struct Named {
    pub(super) id: String,
}

/// A card, inside a PaymentMethod or as a source of its own.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct StripeCard {
    pub(super) brand: String,
    pub(super) last4: String,
    pub(super) exp_month: i8,
    pub(super) exp_year: i16,
    pub(super) fingerprint: Option<String>,
}

/// A PaymentMethod.
#[derive(Debug, Deserialize)]
pub(super) struct Method {
    pub(super) id: String,
    pub(super) card: Option<StripeCard>,
}

/// A card made of a token.
#[derive(Debug, Deserialize)]
pub(super) struct CardSource {
    pub(super) id: String,
    #[serde(flatten)]
    pub(super) card: StripeCard,
}

/// A refund.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct StripeRefund {
    pub(super) id: String,
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) metadata: Value,
    pub(super) failure_reason: Option<String>,
}

/// A page of a list.
#[derive(Debug, Deserialize)]
pub(super) struct Page<T> {
    pub(super) data: Vec<T>,
    #[serde(default)]
    pub(super) has_more: bool,
}
