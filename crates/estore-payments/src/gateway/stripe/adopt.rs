//! Takes up cards that a buyer's browser has given to Stripe: the token becomes a payment method of a Stripe customer.

use super::client::{BANK_TIME_MAX, CALL_TIME_MAX, Failure, Post};
use super::wire::{CardSource, Method, Named, StripeCard};
use super::{Silence, Stripe};
use crate::gateway::{AdoptError, AdoptedCard, CardToken, GatewayError};
use crate::payment_method::CardDetails;
use crate::store::stripe as store;

/// The longest token that is handed on, in characters.
const TOKEN_CHARACTERS_MAX: usize = 255;

impl Stripe {
    pub(super) async fn adopt_card(&self, user_id: i32, token: &str) -> Result<AdoptedCard, AdoptError> {
        // It becomes part of a path, so it is looked at before it goes anywhere.
        let is_plain =
            token.len() <= TOKEN_CHARACTERS_MAX && token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !is_plain || !(token.starts_with("pm_") || token.starts_with("tok_")) {
            return Err(AdoptError::Unknown);
        }
        let customer = self.customer(user_id).await?;
        let (id, card) = if token.starts_with("pm_") {
            let path = format!("/v1/payment_methods/{token}/attach");
            let form = [("customer", customer.as_str())];
            let post = Post { path: &path, form: &form, idempotency_key: None, time_max: BANK_TIME_MAX };
            let method: Method = self.client.post(post).await.map_err(refused)?;
            (method.id, method.card.ok_or(AdoptError::Unknown)?)
        } else {
            let path = format!("/v1/customers/{customer}/sources");
            let form = [("source", token)];
            let post = Post { path: &path, form: &form, idempotency_key: None, time_max: BANK_TIME_MAX };
            let source: CardSource = self.client.post(post).await.map_err(refused)?;
            (source.id, source.card)
        };
        let fingerprint = card.fingerprint.clone().unwrap_or_else(|| id.clone());
        Ok(AdoptedCard { token: CardToken { token: format!("{customer}:{id}"), fingerprint }, details: details(card) })
    }

    /// The user's name at Stripe, made on first need.
    async fn customer(&self, user_id: i32) -> Result<String, AdoptError> {
        let silent = |error: estore_kit::db::DbError| AdoptError::Silent(GatewayError(error.to_string()));
        if let Some(known) = store::customer(&self.db, user_id).await.map_err(silent)? {
            return Ok(known);
        }
        let user = user_id.to_string();
        let post = Post {
            path: "/v1/customers",
            form: &[("metadata[estore_user]", &user)],
            idempotency_key: Some(format!("estore-customer-{user_id}")),
            time_max: CALL_TIME_MAX,
        };
        let made: Named = self.client.post(post).await.map_err(refused)?;
        store::note_customer(&self.db, user_id, &made.id).await.map_err(silent)
    }
}

fn refused(failure: Failure) -> AdoptError {
    match failure {
        Failure::Refused { status: 402, fault } => AdoptError::Declined(fault.refusal()),
        Failure::Refused { status, fault } => {
            tracing::info!(status, fault = fault.text(), "Stripe does not know a token");
            AdoptError::Unknown
        }
        Failure::Silent(cause) => AdoptError::Silent(GatewayError(cause)),
    }
}

impl From<Silence> for AdoptError {
    fn from(Silence(cause): Silence) -> Self {
        Self::Silent(GatewayError(cause))
    }
}

fn details(card: StripeCard) -> CardDetails {
    // A PaymentMethod says `amex`, a card made of a token `American Express`.
    let brand = match card.brand.to_ascii_lowercase().as_str() {
        "american express" => "amex".to_owned(),
        "diners club" => "diners".to_owned(),
        "" => "unknown".to_owned(),
        word => word.replace(' ', "_"),
    };
    CardDetails {
        brand,
        last4: card.last4,
        expiry_month: card.exp_month,
        expiry_year: card.exp_year,
        holder_name: None,
        billing_address: None,
    }
}
