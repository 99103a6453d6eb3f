//! Adds a card: the gateway gives a token for it, and the number, where we saw one, is forgotten.

use axum::http::StatusCode;
use estore_kit::db::DbError;
use estore_kit::field::SealError;
use estore_kit::problem::{FieldError, Problem};
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::billing::BILLING_FIELDS;
use crate::card::{SecretJson, read_card};
use crate::card_token::{read_invoice, read_token};
use crate::gateway::{AdoptError, AdoptedCard, CardForm, CardToken, GatewayError, Refusal};
use crate::payment_method::{CardDetails, MethodDetails, NoDetails, PaymentMethod};
use crate::personal::details_of;
use crate::service::{Shop, now};
use crate::store::payment_methods::{self, StoredDetails};

/// Why a card was not added.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AddError {
    /// The body breaks a rule.
    #[error("the body breaks a rule")]
    Rules(Box<Problem>),
    /// The gateway does not know the token.
    #[error("unknown token")]
    UnknownToken,
    /// The card's bank says no.
    #[error("refused: {}", .0.code())]
    Declined(Refusal),
    /// Whose the card is cannot be sealed or opened.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// The gateway is away.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// The database is away, or worse.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<AdoptError> for AddError {
    fn from(error: AdoptError) -> Self {
        match error {
            AdoptError::Unknown => Self::UnknownToken,
            AdoptError::Declined(refusal) => Self::Declined(refusal),
            AdoptError::Silent(error) => Self::Gateway(error),
        }
    }
}

impl From<AddError> for Problem {
    fn from(error: AddError) -> Self {
        match error {
            AddError::Rules(problem) => *problem,
            AddError::UnknownToken => Self::invalid(vec![FieldError {
                pointer: "/details/token".to_owned(),
                code: "unknown_token".into(),
                detail: "the payment provider does not know this token, or it was used before; make a new one".into(),
            }]),
            AddError::Declined(refusal) => {
                Self::new(StatusCode::PAYMENT_REQUIRED, refusal.code(), "The card was refused. Use another card.")
            }
            AddError::Gateway(error) => {
                tracing::warn!(%error, "cannot add a card");
                Self::unavailable("The payment gateway does not answer. Try again shortly.")
            }
            AddError::Sealed(error) => error.into(),
            AddError::Database(error) => error.into(),
        }
    }
}

/// Adds the card to the customer's payment methods; the same card again is the same method, and not new.
pub(crate) async fn add_payment_method(
    shop: &Shop,
    user_id: i32,
    body: &SecretJson,
) -> Result<(PaymentMethod, bool), AddError> {
    let rules = |problem| AddError::Rules(Box::new(problem));
    let (token, details) = match shop.gateway.takes() {
        CardForm::Number => {
            let card = read_card(body, now().to_zoned(TimeZone::UTC).date()).map_err(rules)?;
            (shop.gateway.tokenise(&card).await?, MethodDetails::Card(CardDetails::from(&card).of_holder(body)))
        }
        CardForm::Token => {
            let token = read_token(body).map_err(rules)?;
            let AdoptedCard { token, details } = shop.gateway.adopt(user_id, &token).await?;
            (token, MethodDetails::Card(details.of_holder(body)))
        }
        CardForm::Invoice => {
            read_invoice(body).map_err(rules)?;
            let invoice = || "invoice".to_owned();
            (CardToken { token: invoice(), fingerprint: invoice() }, MethodDetails::Invoice(NoDetails {}))
        }
    };
    let gateway = (shop.gateway.name(), shop.gateway.forgets());
    let sealed = sealed(shop, &details)?;
    let (method, is_new) = payment_methods::add(&shop.db, user_id, &sealed, gateway, &token).await?;
    Ok((shop.shown(method)?, is_new))
}

/// The details as they are stored: whose the card is, sealed.
fn sealed(shop: &Shop, details: &MethodDetails) -> Result<StoredDetails, AddError> {
    let internal = |error: serde_json::Error| DbError::Failed(error.to_string());
    let (kind, sealed_for) = (details.payment_type(), Uuid::now_v7());
    let mut json = serde_json::to_value(details).map_err(internal)?;
    let mut is_sealed = false;
    if let Some(json) = json.as_object_mut() {
        let mut whose: Map<String, Value> =
            BILLING_FIELDS.iter().filter_map(|field| json.remove_entry(*field)).collect();
        is_sealed = shop.fields.seal_leaves(&mut whose, details_of(sealed_for))?;
        json.extend(whose);
    }
    Ok(StoredDetails { kind, json, sealed_for: is_sealed.then_some(sealed_for) })
}
